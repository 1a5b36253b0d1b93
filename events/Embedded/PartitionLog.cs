namespace Monolith.Events.Embedded;

/// <summary>A stored batch held in memory.</summary>
/// <param name="BaseOffset">Offset of its first record.</param>
/// <param name="Count">Number of records.</param>
/// <param name="Data">The batch (<see cref="BatchCodec"/>).</param>
internal sealed record StoredBatch(long BaseOffset, int Count, byte[] Data)
{
    /// <summary>Offset after its last record.</summary>
    public long EndOffset => BaseOffset + Count;
}

/// <summary>What is in memory of one partition: its ends, its newest batches, who waits for more.</summary>
internal sealed class PartitionLog(int id, TopicPartition name, long low, long high)
{
    private readonly Lock _lock = new();
    private readonly Queue<StoredBatch> _tail = [];
    private readonly List<EmbeddedReader> _readers = [];
    private StoredBatch[]? _tailArray = [];
    private long _low = low;
    private long _high = high;

    public int Id { get; } = id;

    public TopicPartition Name { get; } = name;

    /// <summary>Offset the commit loop gives next; touched by it alone.</summary>
    public long NextOffset { get; set; } = high;

    public Watermarks Watermarks
    {
        get
        {
            lock (_lock)
            {
                return new Watermarks(_low, _high);
            }
        }
    }

    /// <summary>Makes a durable batch readable and wakes readers.</summary>
    public void Publish(StoredBatch batch)
    {
        lock (_lock)
        {
            _tail.Enqueue(batch);
            _tailArray = null;
            _high = batch.EndOffset;
            foreach (var reader in _readers)
            {
                reader.Wake();
            }
        }
    }

    /// <summary>Forgets the oldest batch in memory.</summary>
    public void EvictOldest()
    {
        lock (_lock)
        {
            _tail.Dequeue();
            _tailArray = null;
        }
    }

    /// <summary>Raises the low watermark after the batches below it were dropped.</summary>
    public void Truncate(long low)
    {
        lock (_lock)
        {
            _low = Math.Max(_low, low);
        }
    }

    /// <summary>The batch in memory that holds an offset; null when it is older or does not exist yet.</summary>
    public StoredBatch? InMemory(long offset)
    {
        lock (_lock)
        {
            var tail = _tailArray ??= [.. _tail];
            int first = 0, last = tail.Length - 1;
            while (first <= last)
            {
                var middle = (first + last) >>> 1;
                var batch = tail[middle];
                if (offset < batch.BaseOffset)
                {
                    last = middle - 1;
                }
                else if (offset >= batch.EndOffset)
                {
                    first = middle + 1;
                }
                else
                {
                    return batch;
                }
            }

            return null;
        }
    }

    public void Attach(EmbeddedReader reader)
    {
        lock (_lock)
        {
            _readers.Add(reader);
        }
    }

    public void Detach(EmbeddedReader reader)
    {
        lock (_lock)
        {
            _readers.Remove(reader);
        }
    }
}
