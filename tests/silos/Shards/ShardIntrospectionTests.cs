using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Hosting;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Shards;

public sealed class ShardIntrospectionTests : IDisposable
{
    // Users need three occurrences, items expire after an hour.
    private static readonly ModelSpec Spec = SomeModels.Small with
    {
        Tables = [SomeModels.Small.Tables[0] with { Admission = new AdmitAfter(2) }, SomeModels.Small.Tables[1]],
    };

    private static readonly ulong[] Mine = [.. Ids(shard: 0).Take(3)];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_id_is_unknown_then_refused_then_present_then_expired()
    {
        await using var silo = await SiloHost.StartAsync(new MonolithSiloOptions { SnapshotFolder = _folder.Path }, Spec);
        var shard = silo.Shard(Spec, 0);
        var (user, item, other) = (Mine[0], Mine[1], Mine[2]);
        Assert.Equal(RowStanding.Unknown, (await shard.Explain(0, user)).Standing);

        await shard.Push(Pushes.Of(Spec, Pushes.Span(0, 1), [user], [item], 1_000_000));
        var refused = await shard.Explain(0, user);
        Assert.Equal((RowStanding.Refused, 1), (refused.Standing, refused.Occurrences));
        var present = await shard.Explain(1, item);
        Assert.Equal((RowStanding.Present, 1), (present.Standing, present.Occurrences));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_000_000), present.LastUpdate);
        using (var read = await shard.Lookup(Pushes.Lookup(Spec, [], [item])))
        {
            Assert.Equal(read.As<float>().ToArray(), present.Values);
        }

        await shard.Push(Pushes.Of(Spec, Pushes.Span(1, 2), [user], [other], 1_000_000));
        await shard.Push(Pushes.Of(Spec, Pushes.Span(2, 3), [user], [other], 1_007_200));
        Assert.Equal(RowStanding.Present, (await shard.Explain(0, user)).Standing);
        var expired = await shard.Explain(1, item);
        Assert.Equal(RowStanding.Expired, expired.Standing);
        Assert.Equal(
            new RowDeparture(
                RowStanding.Expired, DateTimeOffset.FromUnixTimeSeconds(1_007_200), DateTimeOffset.FromUnixTimeSeconds(1_000_000), 1),
            expired.Departure);
    }

    [Fact]
    public async Task Tables_say_what_they_are_made_of()
    {
        await using var silo = await SiloHost.StartAsync(new MonolithSiloOptions { SnapshotFolder = _folder.Path }, Spec);
        var shard = silo.Shard(Spec, 0);
        await shard.Push(Pushes.Of(Spec, Pushes.Span(0, 1), [], Mine));
        var tables = await shard.Tables();
        Assert.Equal(Spec.WithCanary().Select(t => t.Name), tables.Select(t => t.Table));
        Assert.Equal([0, 3, 0], tables.Select(t => t.Rows));
        Assert.Equal(3, tables[1].RowsByOccurrences[0]);
        Assert.Equal(3, tables[1].RowsByAge[0]);
        Assert.InRange(tables[1].Bytes["values"], 3 * 5 * sizeof(float), tables[1].Bytes["rows"]);
        Assert.True(tables[0].Bytes["filter"] > 0);
    }

    [Fact]
    public async Task Ids_of_another_shard_and_tables_that_are_not_there_are_refused()
    {
        await using var silo = await SiloHost.StartAsync(new MonolithSiloOptions { SnapshotFolder = _folder.Path }, Spec);
        var shard = silo.Shard(Spec, 0);
        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await shard.Explain(0, Ids(shard: 1).First()));
        Assert.Contains("is kept by shard 1", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await shard.Explain(3, Mine[0]));
    }

    private static IEnumerable<ulong> Ids(int shard) =>
        Enumerable.Range(1, 1000).Select(i => (ulong)i).Where(id => ShardMap.Of(id, SomeModels.Small.Shards) == shard);
}
