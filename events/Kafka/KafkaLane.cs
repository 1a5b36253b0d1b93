using Confluent.Kafka;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Monolith.Events.Kafka;

/// <summary>The records of one partition on their way: at most one flight, and those that wait for the next.</summary>
internal sealed class KafkaLane
{
    private readonly Lock _lock = new();
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly Confluent.Kafka.TopicPartition _target;
    private readonly Action<long> _landed;
    private readonly Action<DeliveryReport<byte[], byte[]>> _report;
    private readonly Queue<WaitingRecord> _waiting = [];
    private readonly List<WaitingRecord> _flight = [];
    private int _reported;
    private Error? _failure;
    private bool _mayHaveArrived;

    /// <param name="producer">An idempotent producer.</param>
    /// <param name="target">The partition.</param>
    /// <param name="landed">Told of bytes that no longer wait and are not in flight.</param>
    public KafkaLane(IProducer<byte[], byte[]> producer, Confluent.Kafka.TopicPartition target, Action<long> landed)
    {
        _producer = producer;
        _target = target;
        _landed = landed;
        _report = Reported;
    }

    /// <summary>Takes a record; it leaves with <see cref="Send"/> or when the flight before it has landed.</summary>
    public void Add(in WaitingRecord record)
    {
        lock (_lock)
        {
            _waiting.Enqueue(record);
        }
    }

    /// <summary>Lets what waits leave, unless there is a flight.</summary>
    public void Send()
    {
        lock (_lock)
        {
            if (_flight.Count == 0)
            {
                Depart();
            }
        }
    }

    /// <summary>Tells whoever still waits that nothing more will come.</summary>
    public void Close()
    {
        lock (_lock)
        {
            var closed = new Error(ErrorCode.Local_Destroy, "the log was closed first");
            _flight.ForEach(record => Land(record, closed, mayHaveArrived: true));
            _flight.Clear();
            while (_waiting.TryDequeue(out var record))
            {
                Land(record, closed, mayHaveArrived: false);
            }
        }
    }

    private void Depart()
    {
        (_reported, _failure, _mayHaveArrived) = (0, null, false);
        var bytes = 0L;
        while (_waiting.TryPeek(out var next) && (_flight.Count == 0 || bytes + next.Bytes <= KafkaClients.BatchBytes))
        {
            _waiting.Dequeue();
            try
            {
                _producer.Produce(_target, next.Message, _report);
                _flight.Add(next);
                bytes += next.Bytes;
            }
            catch (KafkaException e)
            {
                Land(next, e.Error, mayHaveArrived: false);
            }
        }
    }

    private void Land(in WaitingRecord record, Error? failure, bool mayHaveArrived)
    {
        _landed(record.Bytes);
        if (failure is null)
        {
            record.Acknowledgement.Arrived();
        }
        else
        {
            record.Acknowledgement.Failed(new EventLogException($"Kafka could not append to {_target.Topic}: {failure.Reason} ({failure.Code}).")
            {
                OutcomeUnknown = mayHaveArrived,
            });
        }
    }

    // What is reported of a record counts for its flight: mostly they are one request.
    private void Reported(DeliveryReport<byte[], byte[]> report)
    {
        lock (_lock)
        {
            _failure ??= report.Error.IsError ? report.Error : null;
            _mayHaveArrived |= report.Status != PersistenceStatus.NotPersisted;
            if (++_reported < _flight.Count)
            {
                return;
            }

            foreach (var record in _flight)
            {
                Land(record, _failure, _mayHaveArrived);
            }

            // After as long as a record may take, those behind it would only take as long again.
            while (_failure?.Code == ErrorCode.Local_MsgTimedOut && _waiting.TryDequeue(out var late))
            {
                Land(late, _failure, mayHaveArrived: false);
            }

            _flight.Clear();
            Depart();
        }
    }
}

/// <summary>A record that waits for its flight.</summary>
/// <param name="Message">As the client takes it.</param>
/// <param name="Bytes">About what it takes in a request.</param>
/// <param name="Acknowledgement">Who waits for it.</param>
internal readonly record struct WaitingRecord(Message<byte[], byte[]> Message, int Bytes, Acknowledgement Acknowledgement);
