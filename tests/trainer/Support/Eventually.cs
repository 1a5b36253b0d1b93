namespace Monolith.Trainer.Tests.Support;

internal static class Eventually
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(20);

    /// <summary>Waits until a condition holds, looking at it every few milliseconds; fails after a bound.</summary>
    public static async Task Holds(Func<bool> condition, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bound.CancelAfter(Most);
        while (!condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"after {Most} it was still not so that {what}");
            }
        }
    }
}
