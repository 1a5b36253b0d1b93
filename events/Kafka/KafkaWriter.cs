using Confluent.Kafka;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Monolith.Events.Kafka;

/// <summary>Transactions through a transactional producer.</summary>
internal sealed class KafkaWriter : ITransactionalWriter
{
    private const int MaxRetries = 20;
    private readonly KafkaEventLog _log;
    private readonly KafkaEventLogOptions _options;
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly string _name;
    private readonly KafkaThread _thread = new("kafka writer");

    public KafkaWriter(KafkaEventLog log, KafkaClients clients, KafkaEventLogOptions options, string name)
    {
        _log = log;
        _options = options;
        _name = name;
        _producer = clients.Producer(name);
    }

    public async Task StartAsync()
    {
        try
        {
            await _thread.RunAsync(() =>
            {
                Retry(() => _producer.InitTransactions(_options.Timeout));
                return true;
            }).ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure($"start the writer '{_name}'", e);
        }
    }

    public async ValueTask CommitAsync(EventTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        var targets = new Confluent.Kafka.TopicPartition[transaction.Records.Count];
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i] = await _log.TargetAsync(transaction.Records[i], cancellationToken).ConfigureAwait(false);
        }

        await _thread.RunAsync(() =>
        {
            Commit(transaction, targets);
            return true;
        }).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _thread.RunAsync(() =>
        {
            _producer.Dispose();
            return true;
        }).ConfigureAwait(false);
        _thread.Dispose();
    }

    private void Commit(EventTransaction transaction, Confluent.Kafka.TopicPartition[] targets)
    {
        var committing = false;
        try
        {
            _producer.BeginTransaction();
            for (var i = 0; i < targets.Length; i++)
            {
                Produce(targets[i], KafkaRecords.ToMessage(transaction.Records[i]));
            }

            var offsets = transaction.Offsets.Select(o => new TopicPartitionOffset(o.Partition.Topic, o.Partition.Partition, o.Offset)).ToList();
            if (offsets.Count > 0)
            {
                var member = (transaction.Member as KafkaMember)?.Metadata ?? throw new ArgumentException("The member belongs to another log.", nameof(transaction));
                Retry(() => _producer.SendOffsetsToTransaction(offsets, member, _options.Timeout));
            }

            committing = true;
            Retry(() => _producer.CommitTransaction(_options.Timeout));
        }
        catch (KafkaException e)
        {
            throw Failed(e, committing);
        }
    }

    private void Produce(Confluent.Kafka.TopicPartition target, Message<byte[], byte[]> message)
    {
        for (var waited = 0; ; waited++)
        {
            try
            {
                _producer.Produce(target, message);
                return;
            }
            catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull && waited < 1000)
            {
                _producer.Poll(TimeSpan.FromMilliseconds(10));
            }
        }
    }

    private EventLogException Failed(KafkaException e, bool committing)
    {
        if (KafkaRecords.IsFenced(e.Error.Code))
        {
            TryAbort();
            return new FencedException($"Another writer named '{_name}', or another member of the group, has taken over.", e);
        }

        // After a failed commit the producer's next transaction would not be one: the owner must open another writer, whose
        // start ends this one's transaction one way or the other.
        var unknown = committing && e is not KafkaTxnRequiresAbortException;
        if (!unknown)
        {
            TryAbort();
        }

        return new EventLogException($"Kafka could not commit: {e.Error.Reason} ({e.Error.Code}).", e) { OutcomeUnknown = unknown };
    }

    private void TryAbort()
    {
        try
        {
            _producer.AbortTransaction(_options.Timeout);
        }
        catch (KafkaException)
        {
            // The coordinator ends it when its time is over, or when the next writer of this name starts.
        }
    }

    private static void Retry(System.Action call)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                call();
                return;
            }
            catch (KafkaRetriableException) when (attempt < MaxRetries)
            {
            }
        }
    }
}
