namespace Monolith.Events;

/// <summary>A header of a record.</summary>
/// <param name="Name">The header's name.</param>
/// <param name="Value">The header's bytes.</param>
public readonly record struct EventHeader(string Name, ReadOnlyMemory<byte> Value);

/// <summary>A record to append.</summary>
/// <param name="Topic">Where to.</param>
/// <param name="Partition">The partition, or <see cref="ByKey"/>.</param>
/// <param name="Key">The key; it decides the partition when none is given.</param>
/// <param name="Value">The payload; must not change until the append is acknowledged.</param>
public readonly record struct NewRecord(string Topic, int Partition, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>Lets the key decide the partition (murmur2, as Kafka's Java client does).</summary>
    public const int ByKey = -1;

    /// <summary>Headers; null: none.</summary>
    public IReadOnlyList<EventHeader>? Headers { get; init; }
}

/// <summary>A record that was read. Its memory belongs to the garbage collector: it may be kept.</summary>
/// <param name="Offset">Its offset; the next record's is larger, not necessarily by one.</param>
/// <param name="AppendTimeMs">When the log took it, in Unix milliseconds.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The payload.</param>
public readonly record struct EventRecord(long Offset, long AppendTimeMs, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>Headers; null: none.</summary>
    public IReadOnlyList<EventHeader>? Headers { get; init; }

    /// <summary>The offset to read on from after this record.</summary>
    public long NextOffset => Offset + 1;
}

/// <summary>Records of one partition, in order.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Records">The records; may be empty.</param>
/// <param name="NextOffset">The offset to read on from after them.</param>
/// <param name="AtEnd">Whether the partition had nothing more to read at that moment.</param>
public readonly record struct PartitionBatch(
    TopicPartition Partition,
    ReadOnlyMemory<EventRecord> Records,
    long NextOffset,
    bool AtEnd);
