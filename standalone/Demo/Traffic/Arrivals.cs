using System.Collections.Concurrent;

namespace Monolith.Standalone.Demo.Traffic;

/// <summary>
/// Lets visitors in at a rate, whatever becomes of those before (an open loop, as users behave); at most so many at once,
/// the others are turned away and counted.
/// </summary>
internal sealed class Arrivals(Visits visits, TrafficCounters counters, double rate, TimeProvider clock)
{
    // Visitors think for up to a second and a half before they click, so many are inside at any moment.
    private const int InFlightMax = 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan DrainBound = TimeSpan.FromSeconds(15);
    private readonly ConcurrentDictionary<long, Task> _inFlight = new();

    /// <summary>Visits that have begun, those of earlier runs included.</summary>
    public long Number { get; private set; }

    /// <summary>The world's time in seconds, that of earlier runs included.</summary>
    public double Seconds { get; private set; }

    /// <summary>Lets visitors in until stopped, then lets those inside finish.</summary>
    /// <param name="number">Where the visits' numbers go on.</param>
    /// <param name="seconds">Where the world's time goes on.</param>
    /// <param name="stop">Lets nobody in any more.</param>
    public async Task Run(long number, double seconds, CancellationToken stop)
    {
        (Number, Seconds) = (number, seconds);
        var started = clock.GetTimestamp();
        var admitted = 0L;
        using var giveUp = new CancellationTokenSource();
        using var timer = new PeriodicTimer(Tick, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                var elapsed = clock.GetElapsedTime(started).TotalSeconds;
                Seconds = seconds + elapsed;
                for (; admitted < (long)(elapsed * rate); admitted++)
                {
                    Admit(Number++, stop, giveUp.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped: nobody comes in any more.
        }

        giveUp.CancelAfter(DrainBound);
        await Task.WhenAll(_inFlight.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Admit(long number, CancellationToken hurry, CancellationToken cancellation)
    {
        if (_inFlight.Count >= InFlightMax)
        {
            counters.AddSkipped();
            return;
        }

        var visit = visits.Make(number, Seconds, hurry, cancellation);
        _inFlight[number] = visit;
        visit.ContinueWith(
            _ => _inFlight.TryRemove(number, out var _),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }
}
