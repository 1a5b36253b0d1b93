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
        harness.AssertSeenIsHeld();
        Assert.True(harness.Increments > 0, "no increment was saved");
        Assert.True(harness.VersionsSeen > 20, $"only {harness.VersionsSeen} versions were seen");
    }
}
