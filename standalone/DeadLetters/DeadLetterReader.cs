using Monolith.Events;

namespace Monolith.Standalone.DeadLetters;

/// <summary>Reads the newest records of a topic of records put aside.</summary>
internal static class DeadLetterReader
{
    /// <summary>Most records read at once.</summary>
    public const int Max = 10_000;

    /// <summary>Bytes of records returned at once: 32 MiB, or the newest record alone. The oldest are left out beyond it.</summary>
    public const int MaxBytes = 32 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The newest records of all partitions, oldest first: as many as asked for, of at most <see cref="MaxBytes"/>.</summary>
    /// <exception cref="EventLogException">There is no such topic, or the log cannot be read.</exception>
    public static async Task<DeadLetter[]> Newest(IEventLog log, string topic, int last, CancellationToken cancellation)
    {
        var partitions = await log.PartitionsAsync(topic, cancellation);
        if (partitions == 0)
        {
            throw new EventLogException($"There is no topic '{topic}': is the model's name right, and has it run on this log?");
        }

        var found = new List<DeadLetter>();
        for (var number = 0; number < partitions; number++)
        {
            var partition = new TopicPartition(topic, number);
            found.AddRange(await Newest(log, new TopicPartition(topic, number), last, cancellation));
        }

        var bytes = 0L;
        return [.. found
            .OrderByDescending(d => d.Time).ThenByDescending(d => d.Offset)
            .Take(last)
            .TakeWhile(d => (bytes += d.Value.Length) <= MaxBytes || bytes == d.Value.Length)
            .Reverse()];
    }

    private static async Task<List<DeadLetter>> Newest(IEventLog log, TopicPartition partition, int last, CancellationToken cancellation)
    {
        var (low, high) = await log.WatermarksAsync(partition, cancellation);
        // Offsets are not records: on Kafka each transaction ends in a marker, and what was aborted is not read.
        for (var range = (2L * last) + 2; ; range *= 4)
        {
            var from = Math.Max(low, high - range);
            var found = await Read(log, new PartitionOffset(partition, from), high, cancellation);
            if (found.Count >= last || from == low || found.Sum(d => (long)d.Value.Length) > MaxBytes)
            {
                return found;
            }
        }
    }

    private static async Task<List<DeadLetter>> Read(IEventLog log, PartitionOffset from, long high, CancellationToken cancellation)
    {
        var found = new List<DeadLetter>();
        var (bytes, leaving) = (0L, 0);
        await using var reader = log.OpenReader(from);
        for (var next = from.Offset; next < high;)
        {
            var batch = (await reader.ReadAsync(1024, Patience, cancellation))[0];
            foreach (var record in batch.Records.Span)
            {
                found.Add(DeadLetter.Of(from.Partition.Partition, record));
                bytes += record.Value.Length;
            }

            // The newest that are together larger than the bound are kept, so that the caller sees it was reached.
            while (leaving < found.Count - 1 && bytes - found[leaving].Value.Length > MaxBytes)
            {
                bytes -= found[leaving++].Value.Length;
            }

            found.RemoveRange(0, leaving);
            leaving = 0;

            // What is left of an offset range may be a marker, which nobody reads.
            next = batch.AtEnd || batch.Records.IsEmpty ? high : batch.NextOffset;
        }

        return found;
    }
}
