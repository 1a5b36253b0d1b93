namespace Monolith.Events;

/// <summary>One partition of a topic.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="Partition">Number of the partition, from 0.</param>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    /// <summary><c>topic/partition</c>, the form in which partitions are named everywhere.</summary>
    public override string ToString() => $"{Topic}/{Partition}";
}

/// <summary>A place in a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">Offset of the next record to read.</param>
public readonly record struct PartitionOffset(TopicPartition Partition, long Offset);

/// <summary>What a group has committed for a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">Offset of the next record to read.</param>
public readonly record struct CommittedOffset(TopicPartition Partition, long Offset);

/// <summary>What a partition holds now.</summary>
/// <param name="Low">Offset of the oldest record still kept.</param>
/// <param name="High">Offset the next record will get: one past the newest readable record.</param>
public readonly record struct Watermarks(long Low, long High);
