using System.Diagnostics;

namespace Monolith.Silos.Tests.Support;

/// <summary>Waits for a condition, with a bound.</summary>
public static class Eventually
{
    public static async Task True(Func<Task<bool>> condition, string what, int seconds = 20)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds < seconds, $"not within {seconds} s: {what}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public static Task True(Func<bool> condition, string what, int seconds = 20) =>
        True(() => Task.FromResult(condition()), what, seconds);
}
