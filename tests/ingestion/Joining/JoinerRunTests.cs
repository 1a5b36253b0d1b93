using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>A joiner's run, step by step.</summary>
public sealed class JoinerRunTests : IAsyncLifetime
{
    private const int MostSteps = 500;
    private readonly Fixture _f = new();
    private readonly JoinerMetrics _metrics = new(() => null, () => -1, TimeProvider.System);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        return _f.DisposeAsync();
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(10, 1)]
    public async Task Catching_up_the_input_that_is_ahead_waits_for_the_other_so_what_waits_stays_bounded(int shownTimes, int doneTimes)
    {
        const int Requests = 100;
        await using var run = await StartAsync(1);
        var startMs = _f.NowMs - (2 * Requests * 1000);
        for (var i = 0; i < Requests; i++)
        {
            var shown = _f.Record(Fixture.Impression($"r{i}", startMs + (i * 1000), "a"));
            var done = _f.Record(Fixture.Action($"r{i}", "a", startMs + (i * 1000)));
            await _f.Log.AppendAsync([.. Enumerable.Repeat(shown, shownTimes), .. Enumerable.Repeat(done, doneTimes)], Token);
        }

        var (mostWaiting, mostPending) = (0L, 0L);
        await UntilAsync(run, async () =>
        {
            (mostWaiting, mostPending) = (Math.Max(mostWaiting, run.View.Waiting), Math.Max(mostPending, run.View.PendingItems));
            return await run.LagAsync(Token) == 0;
        });

        // Ten are read at once, two are the slack; ten is the window.
        Assert.InRange(mostWaiting, shownTimes > doneTimes ? 5 : 0, 20);
        Assert.InRange(mostPending, 5, 30);
        var groups = await _f.GroupsAsync(Requests);
        Assert.Equal(Requests, groups.Count);
        Assert.All(groups, g => Assert.Equal(1, g.Examples.Single().Labels.Single().Value));
    }

    [Fact]
    public async Task What_came_while_its_input_waited_is_read_before_the_clock_closes_its_window()
    {
        await using var run = await StartAsync(1);
        var startMs = _f.NowMs - 100_000;
        await _f.Log.AppendAsync([.. Enumerable.Range(0, 30).Select(i => _f.Record(Fixture.Impression($"r{i}", startMs + (i * 100), "a")))], Token);
        await _f.Log.AppendAsync([_f.Record(Fixture.Action("r0", "a", startMs + 9_000))], Token);

        // Ten impressions and the action, which is nine seconds ahead of them and the last one there is.
        await run.StepAsync(Token);
        Assert.Equal(10, run.View.PendingItems);
        await _f.Log.AppendAsync([_f.Record(Fixture.Action("r29", "a", startMs + 9_500))], Token);
        await UntilAsync(run, async () => await run.LagAsync(Token) == 0 && run.View.PendingItems == 0);
        var groups = await _f.GroupsAsync(30);
        Assert.Equal(["r0", "r29"], groups.Where(g => g.Examples.Single().Labels.Single().Value == 1).Select(g => g.RequestId).Order());
    }

    [Fact]
    public async Task Its_watermark_is_the_least_of_its_partitions()
    {
        await using var run = await StartAsync(4);
        var last = Enumerable.Range(0, 100).Select(i => $"r{i}").First(r => Partitioner.Of(r, 4) == 3);
        await _f.Log.AppendAsync([_f.Record(Fixture.Impression(last, _f.NowMs, "a"))], Token);
        await UntilAsync(run, () => Task.FromResult(run.View.PendingItems == 1));
        Assert.Equal(_f.NowMs - 2_000, run.View.WatermarkMs);
    }

    private async Task<JoinerRun> StartAsync(int partitions)
    {
        await ModelTopicsSetup.EnsureAsync(_f.Log, Fixture.Spec, partitions, 1, Token);
        var options = new JoinerOptions { MaxRecords = 10 * partitions, MaxWait = TimeSpan.FromMilliseconds(5) };
        var run = new JoinerRun(
            _f.Log, new JoinRules(Fixture.Spec, partitions), options, _f.Time, _metrics, NullLogger.Instance, (_, _) => { });
        await run.StartAsync(Token);
        return run;
    }

    private static async Task UntilAsync(JoinerRun run, Func<Task<bool>> condition)
    {
        for (var steps = 0; ; steps++)
        {
            Assert.True(steps < MostSteps);
            await run.StepAsync(Token);
            if (await condition())
            {
                return;
            }
        }
    }
}
