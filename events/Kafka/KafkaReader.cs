using Confluent.Kafka;

namespace Monolith.Events.Kafka;

/// <summary>Reads assigned partitions of a cluster.</summary>
internal sealed class KafkaReader(KafkaClients clients) : IEventReader
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);
    private readonly List<Cursor> _cursors = [];
    private readonly KafkaThread _thread = new("kafka reader");
    private IConsumer<byte[], byte[]>? _consumer;

    public void Seek(PartitionOffset to)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(to.Offset);
        var partition = new Confluent.Kafka.TopicPartition(to.Partition.Topic, to.Partition.Partition);
        _consumer ??= clients.Reader();
        var cursor = _cursors.Find(c => c.Name == to.Partition);
        if (cursor is null)
        {
            _cursors.Add(cursor = new Cursor(to.Partition, partition));
        }
        else
        {
            // A seek may not follow an assignment at once; taking the partition back and giving it again may.
            _consumer.IncrementalUnassign([partition]);
        }

        (cursor.Next, cursor.AtEnd) = (to.Offset, false);
        _consumer.IncrementalAssign([new TopicPartitionOffset(partition, to.Offset)]);
    }

    public void Remove(TopicPartition partition)
    {
        if (_cursors.Find(c => c.Name == partition) is { } cursor)
        {
            _consumer!.IncrementalUnassign([cursor.Partition]);
            _cursors.Remove(cursor);
        }
    }

    public async ValueTask<IReadOnlyList<PartitionBatch>> ReadAsync(int maxRecords, TimeSpan maxWait, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRecords, 1);
        if (_consumer is null || _cursors.Count == 0)
        {
            await Task.Delay(maxWait, cancellationToken).ConfigureAwait(false);
            return [];
        }

        try
        {
            return await _thread.RunAsync(() => Read(_consumer, maxRecords, maxWait, cancellationToken)).ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure("read", e);
        }
    }

    public ValueTask DisposeAsync() => _thread.StopAsync(() => _consumer?.Dispose(), KafkaThread.CloseTimeout);

    private PartitionBatch[] Read(IConsumer<byte[], byte[]> consumer, int maxRecords, TimeSpan maxWait, CancellationToken cancellationToken)
    {
        var until = Environment.TickCount64 + (long)Math.Ceiling(maxWait.TotalMilliseconds);
        var any = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = any ? 0 : Math.Clamp(until - Environment.TickCount64, 0, (long)Slice.TotalMilliseconds);
            var result = consumer.Consume(TimeSpan.FromMilliseconds(left));
            if (result is null)
            {
                if (any || Environment.TickCount64 >= until)
                {
                    return Batches(consumer);
                }
            }
            else if (CursorOf(result.TopicPartition) is { } cursor)
            {
                cursor.AtEnd = result.IsPartitionEOF;
                cursor.Next = Math.Max(cursor.Next, result.Offset.Value + (result.IsPartitionEOF ? 0 : 1));
                if (!result.IsPartitionEOF)
                {
                    any = true;
                    cursor.Records.Add(KafkaRecords.FromMessage(result));
                    if (cursor.Records.Count >= maxRecords)
                    {
                        return Batches(consumer);
                    }
                }
            }
        }
    }

    private Cursor? CursorOf(Confluent.Kafka.TopicPartition partition)
    {
        foreach (var cursor in _cursors)
        {
            if (cursor.Partition.Partition == partition.Partition && cursor.Partition.Topic == partition.Topic)
            {
                return cursor;
            }
        }

        return null;
    }

    private PartitionBatch[] Batches(IConsumer<byte[], byte[]> consumer)
    {
        var batches = new PartitionBatch[_cursors.Count];
        for (var i = 0; i < batches.Length; i++)
        {
            var cursor = _cursors[i];
            var atEnd = cursor.AtEnd || cursor.Next >= KnownEnd(consumer, cursor);
            batches[i] = new PartitionBatch(cursor.Name, cursor.Records.ToArray(), cursor.Next, atEnd);
            cursor.Records.Clear();
        }

        return batches;
    }

    /// <summary>The end as of the last fetch; reaching it needs no word from the broker that there is no more.</summary>
    private static long KnownEnd(IConsumer<byte[], byte[]> consumer, Cursor cursor)
    {
        if (cursor.Records.Count == 0)
        {
            return long.MaxValue;
        }

        var high = consumer.GetWatermarkOffsets(cursor.Partition).High;
        return high == Offset.Unset ? long.MaxValue : high.Value;
    }

    private sealed class Cursor(TopicPartition name, Confluent.Kafka.TopicPartition partition)
    {
        public TopicPartition Name { get; } = name;

        public Confluent.Kafka.TopicPartition Partition { get; } = partition;

        public List<EventRecord> Records { get; } = [];

        public long Next { get; set; }

        public bool AtEnd { get; set; }
    }
}
