using System.Collections.Concurrent;

namespace Monolith.Events.Kafka;

/// <summary>
/// A thread that runs one client's blocking calls one after another, so that they hold up nobody else's.
/// </summary>
internal sealed class KafkaThread : IDisposable
{
    private readonly BlockingCollection<Action> _calls = [];
    private readonly Thread _thread;

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

    /// <summary>Ends the thread after the calls that were made.</summary>
    public void Dispose()
    {
        if (!_calls.IsAddingCompleted)
        {
            _calls.CompleteAdding();
            _thread.Join();
            _calls.Dispose();
        }
    }

    private void Run()
    {
        foreach (var call in _calls.GetConsumingEnumerable())
        {
            call();
        }
    }
}
