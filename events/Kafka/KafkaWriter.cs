using System.Diagnostics;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Monolith.Events.Kafka;

/// <summary>
/// Transactions through two transactional producers in turn: after a commit the coordinator still marks every partition of
/// it, and makes the same producer's next transaction wait in steps of 20 ms. The other's need not wait. A transaction begins
/// only when the one before it is decided, so their order is the same with one or two.
/// </summary>
internal sealed class KafkaWriter : ITransactionalWriter
{
    private static readonly TimeSpan FlushSlice = TimeSpan.FromMilliseconds(1);

    /// <summary>How long a blocking call may go on before a stop is noticed.</summary>
    private static readonly TimeSpan CallSlice = TimeSpan.FromSeconds(1);

    /// <summary>How long to pause before a call that the client asks to repeat.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// How long the offsets may take once the records have arrived: milliseconds where all is well. A client whose group
    /// coordinator left the cluster's metadata for a moment, as a restarted broker does, may wait for it forever, whatever
    /// timeout it was given (librdkafka issue 5511). The writer is then abandoned with its clients, and its owner opens
    /// another one, which fences it.
    /// </summary>
    private static readonly TimeSpan OffsetsTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a failed transaction's abort may take. The next writer of the name aborts it otherwise.</summary>
    private static readonly TimeSpan AbortTimeout = TimeSpan.FromSeconds(2);
    private readonly KafkaEventLog _log;
    private readonly KafkaEventLogOptions _options;
    private readonly IProducer<byte[], byte[]>[] _producers;
    private readonly string _name;
    private readonly KafkaThread _thread = new("kafka writer");
    private readonly Dictionary<Confluent.Kafka.TopicPartition, int> _turnBytes = [];
    private int _turn;
    private long _deadline;
    private bool _isAbandoned;

    public KafkaWriter(KafkaEventLog log, KafkaClients clients, KafkaEventLogOptions options, string name)
    {
        _log = log;
        _options = options;
        _name = name;
        _producers = [clients.Producer(name), clients.Producer($"{name}.2")];
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            AllowFor(_options.Timeout * _producers.Length);
            await CallAsync(() =>
            {
                foreach (var producer in _producers)
                {
                    Retry(producer.InitTransactions, _options.Timeout, cancellationToken);
                }
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
        var targets = await _log.TargetsAsync(transaction.Records, cancellationToken).ConfigureAwait(false);
        AllowFor(KafkaClients.TransactionTimeout);
        await CallAsync(() =>
        {
            _turn = (_turn + 1) % _producers.Length;
            Commit(_producers[_turn], transaction, targets);
        }).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _thread.StopAsync(
        () =>
        {
            foreach (var producer in _producers)
            {
                producer.Dispose();
            }
        },
        Volatile.Read(ref _isAbandoned) ? TimeSpan.Zero : KafkaThread.CloseTimeout);

    /// <summary>Says how long the thread's next step may take, and what a failure after it may.</summary>
    private void AllowFor(TimeSpan step)
        => Volatile.Write(ref _deadline, Environment.TickCount64 + (long)(step + AbortTimeout + CallSlice).TotalMilliseconds);

    /// <summary>Runs a call on the thread; one that stands still beyond its deadline makes the writer useless.</summary>
    private async Task CallAsync(Action call)
    {
        var running = _thread.RunAsync(() =>
        {
            call();
            return true;
        });
        while (true)
        {
            var left = Math.Max(0, Volatile.Read(ref _deadline) - Environment.TickCount64);
            try
            {
                await running.WaitAsync(TimeSpan.FromMilliseconds(left)).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException) when (running.IsCompleted || Environment.TickCount64 < Volatile.Read(ref _deadline))
            {
                // It ended just now, or its next step got more time.
            }
            catch (TimeoutException e)
            {
                Volatile.Write(ref _isAbandoned, true);
                throw new EventLogException(
                    $"Kafka's client did not finish a call of the writer '{_name}'; the writer is opened again with new clients.", e)
                {
                    OutcomeUnknown = true,
                };
            }
        }
    }

    private void Commit(IProducer<byte[], byte[]> producer, EventTransaction transaction, Confluent.Kafka.TopicPartition[] targets)
    {
        var committing = false;
        var started = Stopwatch.GetTimestamp();
        try
        {
            producer.BeginTransaction();
            Send(producer, transaction.Records, targets, started);
            var offsets = transaction.Offsets.Select(o => new TopicPartitionOffset(o.Partition.Topic, o.Partition.Partition, o.Offset)).ToList();
            if (offsets.Count > 0)
            {
                // After the records: the group refuses a member that was replaced, so whoever replaces one that is not refused
                // finds its records in the log, and waits until they are decided.
                var member = (transaction.Member as KafkaMember)?.Metadata ?? throw new ArgumentException("The member belongs to another log.", nameof(transaction));
                AllowFor(OffsetsTimeout);
                Retry(timeout => producer.SendOffsetsToTransaction(offsets, member, timeout), OffsetsTimeout, CancellationToken.None);
            }

            ObjectDisposedException.ThrowIf(Volatile.Read(ref _isAbandoned), this);
            committing = true;
            AllowFor(KafkaClients.TransactionTimeout);
            Retry(producer.CommitTransaction, Left(started), CancellationToken.None);
        }
        catch (KafkaException e)
        {
            throw Failed(producer, e, committing);
        }
    }

    /// <summary>
    /// Sends records in turns of at most one request a partition, each when those before have arrived, for the reason that
    /// <see cref="KafkaAppender"/> gives.
    /// </summary>
    private void Send(IProducer<byte[], byte[]> producer, IReadOnlyList<NewRecord> records, Confluent.Kafka.TopicPartition[] targets, long started)
    {
        _turnBytes.Clear();
        for (var i = 0; i < targets.Length; i++)
        {
            var size = KafkaRecords.SizeOf(records[i]);
            ref var bytes = ref CollectionsMarshal.GetValueRefOrAddDefault(_turnBytes, targets[i], out _);
            if (bytes > 0 && bytes + size > KafkaClients.BatchBytes)
            {
                Arrive(producer, started);
                _turnBytes.Clear();
                bytes = ref CollectionsMarshal.GetValueRefOrAddDefault(_turnBytes, targets[i], out _);
            }

            bytes += size;
            producer.Produce(targets[i], KafkaRecords.ToMessage(records[i]));
        }

        Arrive(producer, started);
    }

    /// <summary>
    /// Waits for the transaction's records to arrive, in short flushes: the client's own commit wakes its senders once and then
    /// looks every 10 ms. If a record does not arrive, the commit that follows says why.
    /// </summary>
    private static void Arrive(IProducer<byte[], byte[]> producer, long started)
    {
        while (producer.Flush(FlushSlice) > 0 && Left(started) > TimeSpan.Zero)
        {
        }
    }

    /// <summary>What is left of a transaction's time; the coordinator aborts one that takes longer.</summary>
    private static TimeSpan Left(long started)
    {
        var left = KafkaClients.TransactionTimeout - Stopwatch.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private EventLogException Failed(IProducer<byte[], byte[]> producer, KafkaException e, bool committing)
    {
        if (KafkaRecords.IsFenced(e.Error.Code))
        {
            TryAbort(producer);
            return new FencedException($"Another writer named '{_name}', or another member of the group, has taken over.", e);
        }

        // After a failed commit the producer's next transaction would not be one: the owner must open another writer, whose
        // start ends this one's transaction one way or the other.
        var unknown = committing && e is not KafkaTxnRequiresAbortException;
        if (!unknown)
        {
            TryAbort(producer);
        }

        return new EventLogException($"Kafka could not commit: {e.Error.Reason} ({e.Error.Code}).", e) { OutcomeUnknown = unknown };
    }

    private static void TryAbort(IProducer<byte[], byte[]> producer)
    {
        try
        {
            producer.AbortTransaction(AbortTimeout);
        }
        catch (KafkaException)
        {
            // The coordinator ends it when its time is over, or when the next writer of this name starts.
        }
    }

    /// <summary>Repeats a call while the client says that it may be repeated, until the time is over.</summary>
    /// <param name="call">A call that takes a timeout and goes on where the last one stopped.</param>
    /// <param name="timeout">How long all calls together may take.</param>
    /// <param name="cancellationToken">Ends the wait between two calls.</param>
    private static void Retry(Action<TimeSpan> call, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = timeout - Stopwatch.GetElapsedTime(started);
            try
            {
                call(left < CallSlice ? TimeSpan.FromMilliseconds(Math.Max(1, left.TotalMilliseconds)) : CallSlice);
                return;
            }
            catch (KafkaRetriableException) when (left > RetryPause)
            {
                cancellationToken.WaitHandle.WaitOne(RetryPause);
            }
        }
    }
}
