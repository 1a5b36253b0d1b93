namespace Monolith.Serving.Tests.Support;

/// <summary>Awaits a condition, with a bound.</summary>
public static class Eventually
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    public static async Task True(Func<Task<bool>> condition)
    {
        using var bound = new CancellationTokenSource(Bound);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!await condition())
        {
            Assert.True(await timer.WaitForNextTickAsync(bound.Token));
        }
    }
}
