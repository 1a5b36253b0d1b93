using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Sync;

public sealed class ReplicaInvariantTests
{
    public static TheoryData<string, int> Runs => new()
    {
        { "garnet", 1 }, { "garnet", 2 }, { "garnet", 3 }, { "redis-server", 4 }, { "redis-server", 5 },
    };

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task A_replica_at_a_version_holds_what_the_shard_held_at_it(string kind, int seed)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        await using var harness = await SyncHarness.StartAsync(redis, seed);
        for (var i = 0; i < 300; i++)
        {
            await harness.Step();
            if (i == 150)
            {
                await harness.EmptyRedis();
            }
        }

        await harness.Settle();
        await harness.SaveIncrements();
        var bases = await harness.FollowAnew();
        Assert.All(bases, name => Assert.EndsWith(".increment.snap", name, StringComparison.Ordinal));
        Assert.Equal(2, bases.Length);
        Assert.DoesNotContain(bases[1], await harness.FollowAnew(harmed: 1));
        harness.AssertSeenIsHeld();
        Assert.True(harness.VersionsSeen > 20, $"only {harness.VersionsSeen} versions were seen");
    }

    [Fact]
    public async Task A_replica_that_cannot_read_the_deltas_follows_from_snapshot_to_snapshot()
    {
        await using var redis = await TestRedis.StartAsync("garnet");
        await using var harness = await SyncHarness.StartAsync(redis, seed: 6);
        await harness.FollowByBasesAlone();
        harness.AssertSeenIsHeld();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_replica_with_another_number_of_shards_says_so_and_is_not_ready_until_the_parts_have_it_too(bool saved)
    {
        await using var redis = await TestRedis.StartAsync("garnet");
        await using var harness = await SyncHarness.StartAsync(redis, seed: 7);
        await harness.RefuseOtherLayout(saved);
    }
}
