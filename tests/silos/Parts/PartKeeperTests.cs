using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Monolith.Silos.Shards;
using Monolith.Silos.Snapshots;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Parts;

public sealed class PartKeeperTests : IDisposable
{
    private static readonly ModelSpec Spec = SomeModels.Small;
    private readonly TemporaryFolder _folder = new();
    private readonly SiloMetrics _metrics = new();
    private readonly List<ShardState> _states = [];

    public void Dispose()
    {
        _states.ForEach(s => s.Dispose());
        _metrics.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Restore_after_save_is_the_same_state_with_the_same_offsets()
    {
        var (state, keeper) = await Start();
        Push(state, 0, 4);
        Push(state, 4, 9);
        await keeper.SaveAsync();
        var (restored, _) = await Start();
        Assert.Equal(Values(state), Values(restored));
        Assert.Equal(state.Offsets.All, restored.Offsets.All);
        Push(state, 9, 12);
        Push(restored, 9, 12);
        Assert.Equal(Values(state), Values(restored)); // optimizer state too
    }

    [Fact]
    public async Task A_damaged_newest_snapshot_is_refused_and_the_one_before_is_used()
    {
        var (state, keeper) = await Start();
        Push(state, 0, 4);
        await keeper.SaveAsync();
        var before = Values(state);
        Push(state, 4, 9);
        await keeper.SaveAsync();
        Flip(Snapshots()[0]);
        var (restored, _) = await Start();
        Assert.Equal(before, Values(restored));
        Assert.Equal(4, restored.Offsets.Of("examples/0").AppliedThrough);
    }

    [Fact]
    public async Task When_all_are_damaged_nothing_starts_from_nothing_in_silence()
    {
        var (state, keeper) = await Start();
        Push(state, 0, 4);
        await keeper.SaveAsync();
        Snapshots().ForEach(Flip);
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Start());
        Assert.Contains("All 1 snapshots of small/shard-0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_snapshot_of_another_layout_is_refused_with_the_difference()
    {
        var (state, keeper) = await Start();
        Push(state, 0, 4);
        await keeper.SaveAsync();
        var error = await Assert.ThrowsAsync<SnapshotLayoutException>(() => Start(spec: Spec with { Seed = 8 }));
        Assert.Contains("Saved: seed 7. Now: seed 8.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_crash_left_half_written_is_never_read_and_goes_away()
    {
        var (state, keeper) = await Start();
        Push(state, 0, 4);
        await keeper.SaveAsync();
        var torn = Path.Combine(Path.GetDirectoryName(Snapshots()[0])!, "0000000000000001-000000000001.snap.tmp");
        await File.WriteAllTextAsync(torn, "half", TestContext.Current.CancellationToken);
        var (restored, second) = await Start();
        Assert.Equal(Values(state), Values(restored));
        Push(restored, 4, 5);
        await second.SaveAsync();
        Assert.False(File.Exists(torn));
    }

    [Fact]
    public async Task The_log_must_keep_what_the_oldest_snapshot_kept_still_needs_also_after_a_restart()
    {
        var (state, keeper) = await Start();
        Assert.Equal(0, keeper.SavedThrough("examples/0"));
        for (var i = 0; i < 5; i++)
        {
            Push(state, i * 10, (i + 1) * 10);
            await keeper.SaveAsync();
        }

        Assert.Equal(30, keeper.SavedThrough("examples/0"));
        var (_, restarted) = await Start();
        Assert.Equal(30, restarted.SavedThrough("examples/0"));
        Assert.Equal(0, restarted.SavedThrough("examples/1"));
    }

    [Fact]
    public async Task Saving_without_a_change_writes_nothing()
    {
        var (state, keeper) = await Start();
        await keeper.SaveAsync();
        Assert.Empty(Snapshots());
        Push(state, 0, 4);
        await Task.WhenAll(keeper.SaveAsync(), keeper.SaveAsync());
        await keeper.SaveAsync();
        Assert.Single(Snapshots());
    }

    [Theory]
    [MemberData(nameof(TestRedis.Kinds), MemberType = typeof(TestRedis))]
    public async Task An_activation_that_lost_its_lease_stops_and_publishes_and_saves_nothing_more(string kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var (state, keeper) = await Start(redis);
        Push(state, 0, 4);
        await keeper.FlushAsync();
        var (_, newer) = await Start(redis);
        Assert.True(newer.Epoch > keeper.Epoch);

        Push(state, 4, 9);
        await keeper.FlushAsync();
        Assert.True(keeper.Stopped);
        await keeper.SaveAsync();
        Assert.Empty(Snapshots());
        var delta = RedisNames.Delta(Spec.Name, 0, keeper.Epoch, keeper.Sequence);
        Assert.False(await redis.Connection.GetDatabase().KeyExistsAsync(delta));
        Assert.Equal(newer.Epoch, (long)await redis.Connection.GetDatabase().HashGetAsync(RedisNames.Head(Spec.Name, 0), "epoch"));
    }

    [Fact]
    public async Task Of_two_activations_of_one_millisecond_the_later_one_owns_the_part()
    {
        await using var redis = await TestRedis.StartAsync();
        var clock = new StoppedClock();
        var (state, keeper) = await Start(redis, clock: clock);
        var (_, newer) = await Start(redis, clock: clock);
        Assert.True(newer.Epoch > keeper.Epoch);
        Push(state, 0, 4);
        await keeper.FlushAsync();
        Assert.True(keeper.Stopped);
        Assert.False(newer.Stopped);
    }

    [Fact]
    public async Task A_snapshot_that_was_being_written_when_the_lease_went_is_discarded()
    {
        await using var redis = await TestRedis.StartAsync();
        var (state, keeper) = await Start(redis);
        Push(state, 0, 4);
        var (_, newer) = await Start(redis);
        await keeper.SaveAsync();
        Assert.True(keeper.Stopped);
        Assert.False(newer.Stopped);
        Assert.Empty(Snapshots());
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.tmp", SearchOption.AllDirectories));
    }

    [Theory]
    [MemberData(nameof(TestRedis.Kinds), MemberType = typeof(TestRedis))]
    public async Task While_redis_is_away_the_part_learns_and_saves_and_publishes_when_it_is_back(string kind)
    {
        var redis = await TestRedis.StartAsync(kind);
        await using var connection = redis.Connection;
        var (state, keeper) = await Start(redis);
        redis.StopServer();
        for (var i = 0; i < PartKeeper.OutboxMax + 2; i++)
        {
            Push(state, i, i + 1);
            await keeper.FlushAsync();
        }

        await keeper.SaveAsync();
        Assert.Single(Snapshots());
        await using var back = await TestRedis.StartAsync(kind, redis.Port);
        await Eventually.True(
            async () =>
            {
                await keeper.FlushAsync();
                var head = await back.Connection.GetDatabase().HashGetAsync(RedisNames.Head(Spec.Name, 0), "sequence");
                return !head.IsNull && (long)head == keeper.Sequence;
            },
            "the part publishes again");
        Assert.False(keeper.Stopped);
    }

    [Fact]
    public async Task A_part_goes_on_when_redis_comes_back_with_an_older_lease()
    {
        await using var redis = await TestRedis.StartAsync();
        var (state, keeper) = await Start(redis);
        var database = redis.Connection.GetDatabase();
        await database.StringSetAsync(RedisNames.Lease(Spec.Name, "0"), keeper.Epoch - 1000);
        Push(state, 0, 4);
        await keeper.FlushAsync();
        Assert.Equal(keeper.Sequence, (long)await database.HashGetAsync(RedisNames.Head(Spec.Name, 0), "sequence"));
        await database.StringSetAsync(RedisNames.Lease(Spec.Name, "0"), keeper.Epoch - 1000);
        await keeper.SaveAsync();
        Assert.False(keeper.Stopped);
        Assert.Single(Snapshots());

        // A larger one is another activation's, as ever.
        await database.StringSetAsync(RedisNames.Lease(Spec.Name, "0"), keeper.Epoch + 1);
        Push(state, 4, 9);
        await keeper.SaveAsync();
        Assert.True(keeper.Stopped);
        Assert.Single(Snapshots());
    }

    [Fact]
    public async Task A_part_that_does_not_see_the_published_snapshot_does_not_start_until_it_does()
    {
        await using var redis = await TestRedis.StartAsync();
        var (state, keeper) = await Start(redis);
        Push(state, 0, 4);
        await keeper.SaveAsync();
        var head = await redis.Connection.GetDatabase().HashGetAllAsync(RedisNames.Head(Spec.Name, 0));
        var model = Path.Combine(_folder.Path, Spec.Name);
        Directory.Move(model, model + "-unmounted");
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Start(redis));
        Assert.Contains("delete the key monolith:{small}:shard:0 in Redis", error.Message, StringComparison.Ordinal);
        Assert.Equal(head, await redis.Connection.GetDatabase().HashGetAllAsync(RedisNames.Head(Spec.Name, 0)));

        Directory.Move(model + "-unmounted", model);
        var (restored, _) = await Start(redis);
        Assert.Equal(Values(state), Values(restored));

        // The way out that the message names.
        Directory.Delete(model, recursive: true);
        await redis.Connection.GetDatabase().KeyDeleteAsync(RedisNames.Head(Spec.Name, 0));
        var (anew, _) = await Start(redis);
        Assert.Equal(0, anew.Offsets.Of("examples/0").AppliedThrough);
    }

    private async Task<(ShardState State, PartKeeper Keeper)> Start(TestRedis? redis = null, ModelSpec? spec = null, TimeProvider? clock = null)
    {
        spec ??= Spec;
        var state = new ShardState(spec, 0);
        _states.Add(state);
        var services = new PartServices(
            new ModelRegistry(spec), _folder.Path, redis?.Connection, clock ?? TimeProvider.System, _metrics, NullLoggerFactory.Instance);
        var keeper = services.Keep(PartIdentity.Shard(spec.Name, 0), state, spec.Sync);
        await keeper.RestoreAsync();
        return (state, keeper);
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(60);
    }

    private List<string> Snapshots() =>
        [.. new SnapshotStore(_folder.Path, PartIdentity.Shard(Spec.Name, 0), NullLogger.Instance).Files];

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static void Push(ShardState state, long from, long through) =>
        Assert.Equal(
            PushOutcome.Applied,
            state.Push(Pushes.Of(Spec, Pushes.Span(from, through, watermarkMs: through), [1, 2, 3], [4, 5]), out _).Outcome);

    private static float[] Values(ShardState state)
    {
        using var block = state.Lookup(Pushes.Lookup(Spec, [1, 2, 3, 9], [4, 5, 9]));
        return block.As<float>().ToArray();
    }
}
