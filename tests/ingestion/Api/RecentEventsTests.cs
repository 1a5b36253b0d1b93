using Monolith.Events;
using Monolith.Ingestion.Api;

namespace Monolith.Ingestion.Tests.Api;

public sealed class RecentEventsTests
{
    private readonly RecentEvents _recent = new(capacity: 100);

    [Fact]
    public async Task What_another_batch_is_bringing_is_waited_for()
    {
        using var first = _recent.Begin([1, 2]);
        using var second = _recent.Begin([2, 3]);
        Assert.Equal([0, 1], first.Fresh);
        Assert.Equal([1], second.Fresh);
        Assert.False(second.Earlier.IsCompleted);
        first.Taken();
        await second.Earlier.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_another_batch_failed_to_bring_fails_and_is_new_again()
    {
        var first = _recent.Begin([1]);
        using var second = _recent.Begin([1]);
        first.Dispose();
        await Assert.ThrowsAsync<EventLogException>(() => second.Earlier);
        using var third = _recent.Begin([1]);
        Assert.Equal([0], third.Fresh);
    }

    [Fact]
    public async Task Batches_that_wait_for_each_other_both_end()
    {
        using var first = _recent.Begin([1]);
        using var second = _recent.Begin([2, 1]);
        using var third = _recent.Begin([1, 2, 3]);
        third.Taken();
        second.Taken();
        first.Taken();
        await Task.WhenAll(second.Earlier, third.Earlier).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void At_least_the_last_half_is_remembered_and_never_more_than_all()
    {
        for (var i = 0; i < 1000; i++)
        {
            using var claim = _recent.Begin([(UInt128)i]);
            Assert.Single(claim.Fresh);
            claim.Taken();
        }

        var known = Enumerable.Range(0, 1000).Where(i =>
        {
            using var claim = _recent.Begin([(UInt128)i]);
            return claim.Fresh.Count == 0;
        }).ToList();
        Assert.InRange(known.Count, 50, 100);
        Assert.Equal(999, known[^1]);
        Assert.Equal(known.Count, 1000 - known[0]);
    }
}
