using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;

namespace Monolith.Bench.Events;

/// <summary>
/// The floor under the joiner's latency on a log: it reads what the joiner reads and writes as many records of about the same
/// length in the same kind of transactions, but joins nothing and keeps nothing.
/// </summary>
internal static class BareCopy
{
    private const int MaxRecords = 16_384;
    private const int JournalBytes = 73;
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(200);

    public static async Task RunAsync(IEventLog log, ModelTopics topics, int partitions, CancellationToken cancellationToken)
    {
        await using var writer = await log.OpenWriterAsync("bare", cancellationToken);
        await using var member = await log.JoinGroupAsync("bare", topics.Impressions, cancellationToken);
        for (var assigned = 0; assigned < partitions;)
        {
            assigned += (await member.PollAsync(cancellationToken)).Assigned.Count;
        }

        var starts = Enumerable.Range(0, partitions).SelectMany(p => new[] { new TopicPartition(topics.Impressions, p), new TopicPartition(topics.Actions, p) });
        await using var reader = log.OpenReader([.. starts.Select(s => new PartitionOffset(s, 0))]);
        var example = Example();
        for (var polled = Environment.TickCount64; !cancellationToken.IsCancellationRequested;)
        {
            if (Environment.TickCount64 - polled > PollEvery.TotalMilliseconds)
            {
                await member.PollAsync(cancellationToken);
                polled = Environment.TickCount64;
            }

            var batches = (await reader.ReadAsync(MaxRecords, TimeSpan.FromSeconds(1), cancellationToken)).Where(b => b.Records.Length > 0).ToList();
            if (batches.Count > 0)
            {
                var records = batches.SelectMany(b => Copies(b, topics, example)).ToList();
                records.AddRange(batches.Select(b => b.Partition.Partition).Distinct().Select(p => new NewRecord(topics.Joins, p, default, new byte[JournalBytes])));
                await writer.CommitAsync(new EventTransaction(records, member, [.. batches.Select(b => new CommittedOffset(b.Partition, b.NextOffset))]), CancellationToken.None);
            }
        }
    }

    private static IEnumerable<NewRecord> Copies(PartitionBatch batch, ModelTopics topics, byte[] example)
    {
        var actions = batch.Partition.Topic == topics.Actions;
        for (var i = 0; i < batch.Records.Length; i++)
        {
            var record = batch.Records.Span[i];
            yield return new NewRecord(topics.Examples, batch.Partition.Partition, record.Key, actions ? Group(record.Key.Span, example) : record.Value);
        }
    }

    /// <summary>A group of one example, as the joiner's positives are.</summary>
    private static byte[] Group(ReadOnlySpan<byte> requestId, byte[] example)
    {
        byte[] head = [(1 << 3) | 2, (byte)requestId.Length];
        return [.. head, .. requestId, .. example];
    }

    private static byte[] Example()
    {
        var group = new ExampleGroup { EventTimeMs = 1, EmittedTimeMs = 1 };
        group.Shared["user_id"] = new FeatureValue { Text = "user-1000" };
        group.Shared["city"] = new FeatureValue { Integer = 100 };
        group.Shared["device"] = new FeatureValue { Text = "mobile" };
        var example = new Example { ItemId = "item-10000", ServedScore = 0.05f };
        example.Features["position"] = new FeatureValue { Integer = 1 };
        example.Features["price"] = new FeatureValue { Number = 10 };
        example.Labels.Add(new Label { Present = true, Value = 1, KeepRate = 1 });
        group.Examples.Add(example);
        return group.ToByteArray();
    }
}
