using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Serving.Replica;
using Monolith.Silos.Federation;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Monolith.Silos.Shards;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Sync;

/// <summary>What the publishing of large dense parameters leaves in Redis, and that a replica reads it whole.</summary>
public sealed class DenseStateTests : IDisposable
{
    // Of 1.2 MB: three pieces.
    private static readonly ModelSpec Spec = SomeModels.Small with { Network = new DeepFmNetwork { Hidden = [600, 500] } };
    private readonly TemporaryFolder _folder = new();
    private readonly SiloMetrics _metrics = new();

    public void Dispose()
    {
        _metrics.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(TestRedis.Kinds), MemberType = typeof(TestRedis))]
    public async Task Rounds_overwrite_the_same_few_small_keys(string kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var (model, keeper) = await Start(redis);
        HashSet<string>? first = null;
        for (var round = 0; round < 60; round++)
        {
            CloseRound(model, steps: 1);
            await keeper.FlushAsync();
            first ??= [.. await Keys(redis)];
        }

        Assert.Equal(60, keeper.Sequence);
        Assert.Equal(5, first!.Count); // head, lease, three pieces
        Assert.Equal(first, await Keys(redis));
        foreach (var key in first.Where(k => k.Contains(":dense", StringComparison.Ordinal)))
        {
            Assert.InRange(await redis.Connection.GetDatabase().StringLengthAsync(key), 1, Delta.PieceBytes);
        }
    }

    [Fact]
    public async Task Rounds_without_steps_publish_only_the_watermark()
    {
        await using var redis = await TestRedis.StartAsync();
        var (model, keeper) = await Start(redis);
        CloseRound(model, steps: 1);
        await keeper.SaveAsync();
        var (sequence, keys) = (keeper.Sequence, await Keys(redis));
        Assert.False(keeper.SaveDue);
        for (var round = 0; round < 10; round++)
        {
            CloseRound(model, steps: 0, watermarkMs: 1000 + round);
            await keeper.FlushAsync();
        }

        Assert.Equal(sequence, keeper.Sequence);
        Assert.False(keeper.SaveDue);
        Assert.Equal(keys, await Keys(redis));
        var head = await redis.Connection.GetDatabase().HashGetAsync(RedisNames.Head(Spec.Name, RedisNames.Dense), RedisNames.WatermarkField);
        Assert.Equal(1009, (long)head);
    }

    [Theory]
    [MemberData(nameof(TestRedis.Kinds), MemberType = typeof(TestRedis))]
    public async Task A_replica_joins_the_pieces_and_follows_the_watermark(string kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var (model, keeper) = await Start(redis);
        var shards = new List<ShardState>();
        for (var s = 0; s < Spec.Shards; s++)
        {
            shards.Add(new ShardState(Spec, s));
            var shard = Services(redis).Keep(PartIdentity.Shard(Spec.Name, s), shards[s], Spec.Sync);
            await shard.RestoreAsync();
        }

        CloseRound(model, steps: 1);
        await keeper.FlushAsync();
        using var replica = new ParameterReplica(
            Spec, new ReplicaOptions { SnapshotFolder = _folder.Path, PollInterval = TimeSpan.FromMilliseconds(20) },
            redis.Connection, TimeProvider.System, NullLogger<ParameterReplica>.Instance);
        await replica.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.True(() => replica.IsReady && replica.Versions()[^1].Sequence == keeper.Sequence, "the replica is at the round");
        CloseRound(model, steps: 0, watermarkMs: 77);
        await keeper.FlushAsync();
        await Eventually.True(() => replica.Versions()[^1].WatermarkMs == 77, "the watermark moves on without a delta");
        Assert.Equal(keeper.Sequence, replica.Versions()[^1].Sequence);

        // A piece of another version makes no delta of it: the replica stays where it is.
        var piece = RedisNames.Piece(RedisNames.DenseState(Spec.Name), 1);
        var database = redis.Connection.GetDatabase();
        var whole = (byte[])(await database.StringGetAsync(piece))!;
        CloseRound(model, steps: 1);
        await keeper.FlushAsync();
        await database.StringSetAsync(piece, whole);
        CloseRound(model, steps: 1);
        await keeper.FlushAsync();
        await Eventually.True(() => replica.Versions()[^1].Sequence == keeper.Sequence, "the replica reads the next whole one");
        await replica.StopAsync(TestContext.Current.CancellationToken);
        shards.ForEach(s => s.Dispose());
    }

    private static void CloseRound(DenseModel model, int steps, long watermarkMs = 0)
    {
        var difference = new float[model.Parameters.Length];
        Array.Fill(difference, 0.01f);
        PartitionSpan[] spans = watermarkMs > 0 ? [new PartitionSpan("examples/0", 1, 0, 0, watermarkMs)] : [];
        model.Add(new RoundReport("w", model.Round, steps, Block.Of<float>(difference), Block.Empty, spans));
        model.CloseRound();
    }

    private static async Task<SortedSet<string>> Keys(TestRedis redis)
    {
        var keys = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var key in redis.Connection.GetServer("127.0.0.1", redis.Port).KeysAsync())
        {
            keys.Add(key!);
        }

        return keys;
    }

    private PartServices Services(TestRedis redis) => new(
        new ModelRegistry(Spec), _folder.Path, redis.Connection, TimeProvider.System, _metrics, NullLoggerFactory.Instance);

    private async Task<(DenseModel Model, PartKeeper Keeper)> Start(TestRedis redis)
    {
        var model = new DenseModel(Spec);
        var keeper = Services(redis).Keep(PartIdentity.Dense(Spec.Name), model, Spec.Sync);
        await keeper.RestoreAsync();
        return (model, keeper);
    }
}
