using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Hosting;
using Monolith.Silos.Shards;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Shards;

public sealed class ShardCopyTests : IDisposable
{
    private const int Rows = 40_000;
    private static readonly ModelSpec Spec = SomeModels.Small with { Tables = [SomeModels.Small.Tables[0], SomeModels.Small.Tables[1] with { Expiry = null }] };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_large_shard_is_saved_at_one_version_while_it_learns_on(bool increment)
    {
        var at = 0L;
        await using (var silo = await SiloHost.StartAsync(new MonolithSiloOptions { SnapshotFolder = _folder.Path }, Spec))
        {
            var shard = silo.Shard(Spec, 0);
            await Push(shard, Rows);
            if (increment)
            {
                await shard.Save();
                await Push(shard, 50);
            }

            var save = shard.Save();
            var during = 0;
            while (!save.IsCompleted)
            {
                await Push(shard, 50);
                during++;
            }

            await save;
            Assert.True(during > 1, $"{during} pushes were answered while the shard was being saved");
            var newest = Directory.GetFiles(_folder.Path, "*.snap", SearchOption.AllDirectories).Max(StringComparer.Ordinal);
            Assert.Equal(increment, newest!.EndsWith(".increment.snap", StringComparison.Ordinal));
            await silo.KillAsync(); // what is not in the snapshot that was taken is lost
        }

        await using (var silo = await SiloHost.StartAsync(new MonolithSiloOptions { SnapshotFolder = _folder.Path }, Spec))
        {
            var shard = silo.Shard(Spec, 0);
            var through = (await shard.Claim(new PartitionClaim("examples/0", 0))).AppliedThrough;
            Assert.InRange(through, 1, at);
            using var expected = new ShardState(Spec, 0);
            for (var offset = 0L; offset < through; offset++)
            {
                expected.Push(Message(offset, offset == 0 ? Rows : 50), out _);
            }

            var request = Pushes.Lookup(Spec, Ids(0, Rows), Ids(7, Rows));
            using var values = await shard.Lookup(request);
            using var wanted = expected.Lookup(request);
            Assert.True(values.Bytes.SequenceEqual(wanted.Bytes));
        }

        async Task Push(IEmbeddingShardGrain shard, int ids) =>
            Assert.Equal(PushOutcome.Applied, (await shard.Push(Message(at++, ids))).Outcome);
    }


    private static GradientPush Message(long offset, int ids) =>
        Pushes.Of(Spec, Pushes.Span(offset, offset + 1), Ids(offset * 31, ids), Ids((offset * 17) + 7, ids));

    private static ulong[] Ids(long first, int count) => [.. Enumerable.Range(0, count).Select(i => (ulong)((first + i) % (Rows + 100)))];
}
