namespace Monolith.Events.Kafka;

/// <summary>Waits until every one of some records has arrived, or one has not.</summary>
internal sealed class Acknowledgement
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;

    public Acknowledgement(int records)
    {
        _left = records;
        if (records == 0)
        {
            _done.SetResult();
        }
    }

    public Task Task => _done.Task;

    /// <summary>Of one record: it has arrived.</summary>
    public void Arrived()
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _done.TrySetResult();
        }
    }

    /// <summary>Of one record: it has not, or nobody knows.</summary>
    public void Failed(EventLogException reason) => _done.TrySetException(reason);
}
