namespace Monolith.Trainer.Batches;

/// <summary>Wakes one waiter; a signal that comes while nobody waits is kept.</summary>
internal sealed class Signal
{
    private volatile TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Wakes the waiter. From any thread.</summary>
    public void Set() => _set.TrySetResult();

    /// <summary>
    /// Waits for a signal, a time or a cancellation, whichever comes first. The signal is taken before this returns: whoever
    /// then looks for what it announced misses nothing.
    /// </summary>
    public async Task Wait(TimeSpan most, TimeProvider time, CancellationToken cancellation)
    {
        await _set.Task.WaitAsync(most, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_set.Task.IsCompleted)
        {
            _set = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
