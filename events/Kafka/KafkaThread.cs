using System.Collections.Concurrent;

namespace Monolith.Events.Kafka;

/// <summary>
/// A thread that runs one client's blocking calls one after another, so that they hold up nobody else's.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The thread disposes its queue at its end.")]
internal sealed class KafkaThread
{
    /// <summary>How long closing a client may take.</summary>
    public static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(10);

    private readonly BlockingCollection<Action> _calls = [];
    private readonly Thread _thread;
    private int _isStopped;

    public KafkaThread(string name)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public Task<T> RunAsync<T>(Func<T> call)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Add(() =>
        {
            try
            {
                done.SetResult(call());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Runs a last call and ends the thread.</summary>
    /// <param name="last">Releases what the calls used.</param>
    /// <param name="timeout">
    /// How long to wait. A call that does not return by then goes on in the background, and <paramref name="last"/> after it.
    /// </param>
    public async ValueTask StopAsync(Action last, TimeSpan timeout)
    {
        if (Interlocked.Exchange(ref _isStopped, 1) != 0)
        {
            return;
        }

        var ended = RunAsync(() =>
        {
            last();
            return true;
        });
        _calls.CompleteAdding();
        try
        {
            await ended.WaitAsync(timeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The thread is a background thread: it holds up neither the caller nor the end of the process.
        }
    }

    private void Run()
    {
        foreach (var call in _calls.GetConsumingEnumerable())
        {
            call();
        }

        _calls.Dispose();
    }
}
