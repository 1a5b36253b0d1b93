using Monolith.Contracts.Sync;
using Monolith.Silos.Redis;
using StackExchange.Redis;

namespace Monolith.Silos.Tests.Redis;

public sealed class EmbeddedRedisTests
{
    [Fact]
    public async Task It_answers_on_a_free_loopback_port_and_keeps_values_hashes_and_conditions()
    {
        using var server = EmbeddedRedis.Start();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var database = redis.GetDatabase();
        await database.HashSetAsync("h", [new("a", 1), new("b", 2)]);
        Assert.Equal(2, (int)await database.HashGetAsync("h", "b"));

        await database.StringSetAsync("lease", 7);
        var transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.StringEqual("lease", 7));
        _ = transaction.StringSetAsync("value", new byte[Delta.PieceBytes], TimeSpan.FromMinutes(1));
        Assert.True(await transaction.ExecuteAsync());
        Assert.Equal(Delta.PieceBytes, (await database.StringGetAsync("value")).Length());

        transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.StringEqual("lease", 8));
        _ = transaction.StringSetAsync("value", "other");
        Assert.False(await transaction.ExecuteAsync());
        Assert.Equal(Delta.PieceBytes, (await database.StringGetAsync("value")).Length());
    }

    [Fact]
    public async Task Announcements_reach_subscribers()
    {
        using var server = EmbeddedRedis.Start();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var heard = new TaskCompletionSource<string?>();
        var channel = RedisChannel.Literal("c");
        await redis.GetSubscriber().SubscribeAsync(channel, (_, value) => heard.TrySetResult(value));
        await redis.GetDatabase().PublishAsync(channel, "1:2:3");
        Assert.Equal("1:2:3", await heard.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_full_memory_drops_the_oldest_and_goes_on()
    {
        using var server = EmbeddedRedis.Start();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var database = redis.GetDatabase();
        for (var i = 0; i < 100; i++)
        {
            await database.StringSetAsync($"delta:{i}", new byte[512 << 10]);
        }

        Assert.False((await database.StringGetAsync("delta:99")).IsNull);
        Assert.True((await database.StringGetAsync("delta:0")).IsNull);
    }

    [Fact]
    public void A_port_in_use_is_one_clear_error()
    {
        using var server = EmbeddedRedis.Start();
        var error = Assert.Throws<IOException>(() => EmbeddedRedis.Start(server.Port));
        Assert.Contains($"127.0.0.1:{server.Port}", error.Message, StringComparison.Ordinal);
    }
}
