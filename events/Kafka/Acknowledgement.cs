using Confluent.Kafka;

namespace Monolith.Events.Kafka;

/// <summary>Waits until every one of some records has arrived, or one has not.</summary>
internal sealed class Acknowledgement
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;

    public Acknowledgement(int records)
    {
        _left = records;
        Report = Arrived;
        if (records == 0)
        {
            _done.SetResult();
        }
    }

    public Task Task => _done.Task;

    /// <summary>Takes a record's delivery report; one delegate for all of them.</summary>
    public Action<DeliveryReport<byte[], byte[]>> Report { get; }

    private void Arrived(DeliveryReport<byte[], byte[]> report)
    {
        if (report.Error.IsError)
        {
            _done.TrySetException(new EventLogException($"Kafka could not append to {report.Topic}: {report.Error.Reason} ({report.Error.Code}).")
            {
                OutcomeUnknown = report.Status != PersistenceStatus.NotPersisted,
            });
        }
        else if (Interlocked.Decrement(ref _left) == 0)
        {
            _done.TrySetResult();
        }
    }
}
