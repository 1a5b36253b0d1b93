using Monolith.Contracts.Events;

namespace Monolith.Events.Embedded;

/// <summary>Encodes records by partition on the caller's thread, so that the commit loop only writes.</summary>
internal static class ChunkBuilder
{
    public static IReadOnlyList<Chunk> Build(
        IReadOnlyList<NewRecord> records,
        Func<string, PartitionLog[]> topics,
        int maxRecordBytes,
        out int bytes)
    {
        bytes = 0;
        if (records.Count == 0)
        {
            return [];
        }

        var plans = new List<Plan>();
        var planOf = new Dictionary<PartitionLog, int>();
        var plan = new int[records.Count];
        var (topic, partitions) = (string.Empty, Array.Empty<PartitionLog>());
        for (var i = 0; i < records.Count; i++)
        {
            var record = records[i];
            if (!ReferenceEquals(topic, record.Topic) && topic != record.Topic)
            {
                (topic, partitions) = (record.Topic, topics(record.Topic));
            }

            var partition = partitions[PartitionOf(record, partitions.Length)];
            if (!planOf.TryGetValue(partition, out var index))
            {
                planOf[partition] = index = plans.Count;
                plans.Add(new Plan(partition));
            }

            var size = BatchCodec.Size(record);
            if (size > maxRecordBytes)
            {
                throw new EventLogException($"A record for '{topic}' has {size:N0} bytes; at most {maxRecordBytes:N0} are allowed.");
            }

            plans[index].Size += size;
            plans[index].Count++;
            plan[i] = index;
        }

        foreach (var p in plans)
        {
            p.Data = GC.AllocateUninitializedArray<byte>(p.Size);
            p.At = BatchCodec.HeaderBytes;
            bytes += p.Size;
        }

        for (var i = 0; i < records.Count; i++)
        {
            var p = plans[plan[i]];
            p.At += BatchCodec.Write(p.Data.AsSpan(p.At), records[i]);
        }

        return plans.ConvertAll(p => new Chunk(p.Partition, p.Count, p.Data));
    }

    private static int PartitionOf(in NewRecord record, int partitions)
    {
        if (record.Partition == NewRecord.ByKey)
        {
            return Partitioner.Of(record.Key.Span, partitions);
        }

        return (uint)record.Partition < (uint)partitions
            ? record.Partition
            : throw new EventLogException($"Topic '{record.Topic}' has partitions 0 to {partitions - 1}, not {record.Partition}.");
    }

    private sealed class Plan(PartitionLog partition)
    {
        public PartitionLog Partition { get; } = partition;

        public int Count { get; set; }

        public int Size { get; set; } = BatchCodec.HeaderBytes;

        public int At { get; set; }

        public byte[] Data { get; set; } = [];
    }
}
