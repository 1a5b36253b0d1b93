using Microsoft.Extensions.DependencyInjection;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Silos.Hosting;
using Monolith.Silos.Tests.Support;
using Orleans.Configuration;

namespace Monolith.Silos.Tests.Hosting;

/// <summary>Two silos in one process that find each other through Redis: between them messages really travel.</summary>
public sealed class ClusterTests : IDisposable
{
    private static readonly ModelSpec Spec = SomeModels.Small;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Lookups_and_pushes_between_silos_travel_through_the_codec_and_mean_the_same()
    {
        await using var redis = await TestRedis.StartAsync();
        await using var first = await StartAsync(redis, "one");
        await AllActive(first);
        await using var second = await StartAsync(redis, "one");
        var (holder, other) = await first.HoldsAsync(first.Shard(Spec, 0)) ? (first, second) : (second, first);
        var remote = other.Shard(Spec, 0);
        Assert.Equal(PushOutcome.Applied, (await remote.Push(Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]))).Outcome);
        Assert.Equal(await Read(holder.Shard(Spec, 0)), await Read(remote));
        Assert.Equal(new ClaimReply(false, 1, 5), await remote.Claim(new PartitionClaim("examples/0", 0)));

        (holder, other) = await first.HoldsAsync(first.Federation(Spec)) ? (first, second) : (second, first);
        var federation = other.Federation(Spec);
        using var state = (await federation.Join("w", RoundMode.Lockstep)).Parameters;
        var none = Block.Of<float>(new float[state.Length / sizeof(float)]);
        var reply = await federation.Report(new RoundReport("w", 0, 1, none, Block.Empty, []));
        Assert.Equal((PushOutcome.Applied, 1L), (reply.Outcome, reply.State.Round));
        Assert.Equal(state.As<float>().ToArray(), reply.State.Parameters.As<float>().ToArray());
    }

    [Fact]
    public async Task A_silo_that_joins_costs_nothing_that_was_learned()
    {
        await using var redis = await TestRedis.StartAsync();
        await using var first = await StartAsync(redis, "join");
        await AllActive(first);
        var before = new List<float[]>();
        for (var s = 0; s < Spec.Shards; s++)
        {
            await first.Shard(Spec, s).Push(Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]));
            before.Add(await Read(first.Shard(Spec, s)));
        }

        await using var second = await StartAsync(redis, "join");
        await AllActive(second);
        for (var s = 0; s < Spec.Shards; s++)
        {
            Assert.Equal(before[s], await Read(second.Shard(Spec, s)));
            Assert.Equal(5, (await second.Shard(Spec, s).Claim(new PartitionClaim("examples/0", 0))).AppliedThrough);
        }
    }

    [Theory]
    [MemberData(nameof(TestRedis.Kinds), MemberType = typeof(TestRedis))]
    public async Task A_silo_that_is_killed_has_its_shards_restored_elsewhere_from_their_snapshots(string kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var first = await StartAsync(redis, "two");
        await AllActive(first);
        await using var second = await StartAsync(redis, "two");
        var (holder, other) = await first.HoldsAsync(first.Shard(Spec, 0)) ? (first, second) : (second, first);
        var shard = other.Shard(Spec, 0);
        await shard.Push(Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]));
        await shard.Save();
        var saved = await Read(shard);
        await shard.Push(Pushes.Of(Spec, Pushes.Span(5, 9), [1, 2], [3]));
        var lost = await Read(shard);
        var epoch = (await shard.Status()).Epoch;

        await holder.KillAsync();
        await Eventually.True(() => IsRestored(shard, epoch), "the shard is active on the other silo", 60);
        Assert.Equal(saved, await Read(shard));
        Assert.Equal(PushOutcome.Gap, (await shard.Push(Pushes.Of(Spec, Pushes.Span(9, 12), [1, 2], [3]))).Outcome);
        Assert.Equal(new ClaimReply(false, 1, 5), await shard.Claim(new PartitionClaim("examples/0", 0)));
        Assert.Equal(PushOutcome.Applied, (await shard.Push(Pushes.Of(Spec, Pushes.Span(5, 9), [1, 2], [3]))).Outcome);
        Assert.Equal(lost, await Read(shard)); // learned again, to the bit
    }

    [Fact]
    public async Task Of_two_activations_of_a_shard_the_older_is_fenced_by_its_lease()
    {
        await using var redis = await TestRedis.StartAsync();
        await using var first = await StartAsync(redis, "left");
        var old = first.Shard(Spec, 0);
        await old.Push(Pushes.Of(Spec, Pushes.Span(0, 5), [1, 2], [3]));

        // A cluster that knows nothing of the first, as after a network split, on the same folder and Redis.
        await using var second = await StartAsync(redis, "right");
        var epoch = (await second.Shard(Spec, 0).Status()).Epoch;
        await old.Push(Pushes.Of(Spec, Pushes.Span(5, 9), [1, 2], [3]));
        await Eventually.True(async () => (await old.Status()).Epoch > epoch, "the older activation gave way to a new one");
        Assert.Equal(0, (await old.Claim(new PartitionClaim("examples/0", 0))).AppliedThrough); // what it had was never published
        Assert.DoesNotContain(
            Directory.GetFiles(_folder.Path, "*.snap", SearchOption.AllDirectories), f => f.Contains("shard-0", StringComparison.Ordinal));
        var holder = (long)await redis.Connection.GetDatabase().StringGetAsync(RedisNames.Lease(Spec.Name, "0"));
        Assert.Equal((await old.Status()).Epoch, holder);
    }

    private static async Task<bool> IsRestored(IEmbeddingShardGrain shard, long epoch)
    {
        try
        {
            return (await shard.Status()).Epoch > epoch;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or IOException)
        {
            return false; // its silo is still believed to be alive
        }
    }

    private static async Task AllActive(SiloHost silo)
    {
        for (var s = 0; s < Spec.Shards; s++)
        {
            await silo.Shard(Spec, s).Status();
        }

        await silo.Federation(Spec).Status();
        await silo.Metrics(Spec).Report();
    }

    private static async Task<float[]> Read(IEmbeddingShardGrain shard)
    {
        using var block = await shard.Lookup(Pushes.Lookup(Spec, [1, 2], [3]));
        return block.As<float>().ToArray();
    }

    private Task<SiloHost> StartAsync(TestRedis redis, string cluster)
    {
        var options = new MonolithSiloOptions
        {
            SnapshotFolder = _folder.Path,
            Redis = redis.ConnectionString,
            Clustered = true,
            ClusterId = cluster,
        };
        return SiloHost.StartAsync(options, Spec, builder => builder.Services.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = TimeSpan.FromMilliseconds(500);
            o.NumMissedProbesLimit = 1;
            o.NumVotesForDeathDeclaration = 1;
            o.TableRefreshTimeout = TimeSpan.FromSeconds(1);
        }));
    }
}
