using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Hosting;
using Monolith.Silos.Snapshots;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Shards;

public sealed class EmbeddingShardGrainTests : IDisposable
{
    private static readonly ModelSpec Spec = SomeModels.Small;
    private readonly TemporaryFolder _folder = new();

    private MonolithSiloOptions Options => new() { SnapshotFolder = _folder.Path };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_pushed_is_read_and_survives_a_clean_stop_with_its_offsets()
    {
        float[] learned;
        await using (var silo = await SiloHost.StartAsync(Options, Spec))
        {
            var shard = silo.Shard(Spec, 0);
            var before = await Read(shard);
            Assert.Equal(PushOutcome.Applied, (await shard.Push(Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]))).Outcome);
            learned = await Read(shard);
            Assert.NotEqual(before, learned);
            Assert.Equal(PushOutcome.AlreadyApplied, (await shard.Push(Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]))).Outcome);
            Assert.Equal(learned, await Read(shard));
            var status = await shard.Status();
            Assert.Equal(new long[] { 2, 1, 0 }, status.Rows);
        }

        await using (var silo = await SiloHost.StartAsync(Options, Spec))
        {
            var shard = silo.Shard(Spec, 0);
            Assert.Equal(learned, await Read(shard));
            Assert.Equal(new ClaimReply(false, 1, 5), await shard.Claim(new PartitionClaim("examples/0", 0)));
            Assert.Equal(PushOutcome.AlreadyApplied, (await shard.Push(Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]))).Outcome);
            Assert.Equal(PushOutcome.Gap, (await shard.Push(Pushes.Of(Spec, Pushes.Span(6, 7), [1, 2], [3]))).Outcome);
            Assert.Equal(PushOutcome.Applied, (await shard.Push(Pushes.Of(Spec, Pushes.Span(5, 7), [1, 2], [3]))).Outcome);
        }
    }

    [Fact]
    public async Task Messages_whose_lengths_do_not_agree_are_refused_and_change_nothing()
    {
        await using var silo = await SiloHost.StartAsync(Options, Spec);
        var shard = silo.Shard(Spec, 0);
        var push = Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]);
        await Assert.ThrowsAsync<ArgumentException>(async () => await shard.Push(push with { Counts = [1, 1, 0] }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await shard.Push(push with { Counts = [2, 1] }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await shard.Push(push with { Gradients = push.Ids }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await shard.Push(push with { Span = Pushes.Span(5, 4) }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await shard.Lookup(new LookupRequest([1, 0, 0], push.Ids)));
        var status = await shard.Status();
        Assert.Equal(new long[] { 0, 0, 0 }, status.Rows);
        Assert.Equal(PushOutcome.Applied, (await shard.Push(push)).Outcome);
    }

    [Fact]
    public async Task Saving_returns_when_the_snapshot_is_there_and_three_are_kept()
    {
        await using var silo = await SiloHost.StartAsync(Options, Spec);
        var shard = silo.Shard(Spec, 1);
        for (var i = 0; i < 5; i++)
        {
            await shard.Push(Pushes.Of(Spec, Pushes.Span(i, i + 1), [1], []));
            await shard.Save();
        }

        var files = Directory.GetFiles(Path.Combine(_folder.Path, "small", "shard-1"));
        Assert.Equal(SnapshotStore.Kept, files.Length);
        Assert.All(files, f => Assert.EndsWith(".snap", f, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_shard_that_is_not_the_models_is_refused_with_what_there_is()
    {
        await using var silo = await SiloHost.StartAsync(Options, Spec);
        var error = await Assert.ThrowsAnyAsync<Exception>(async () => await silo.Shard(Spec, 2).Status());
        Assert.Contains("shards 0 to 1", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAnyAsync<Exception>(
            async () => await silo.Shard(Spec with { Name = "other" }, 0).Status());
        Assert.Contains("it knows: small", error.Message, StringComparison.Ordinal);
    }

    private static async Task<float[]> Read(IEmbeddingShardGrain shard)
    {
        using var block = await shard.Lookup(Pushes.Lookup(Spec, [1, 2], [3]));
        return block.As<float>().ToArray();
    }
}
