using Monolith.Events;

namespace Monolith.Ingestion.Tests;

/// <summary>An event log that notes what is read from it, and from which reading can be held up.</summary>
internal sealed class CountingLog(IEventLog log) : IEventLog
{
    private readonly List<(TopicPartition Partition, long Offset)> _read = [];

    /// <summary>Reads begin once it has completed.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Whether a read has come to a gate that was closed.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>The records of a topic that were read.</summary>
    public (TopicPartition Partition, long Offset)[] Read(string topic)
    {
        lock (_read)
        {
            return [.. _read.Where(r => r.Partition.Topic == topic)];
        }
    }

    public ValueTask CreateTopicAsync(TopicSettings topic, CancellationToken cancellationToken) => log.CreateTopicAsync(topic, cancellationToken);

    public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken) => log.PartitionsAsync(topic, cancellationToken);

    public ValueTask AppendAsync(IReadOnlyList<NewRecord> records, CancellationToken cancellationToken) => log.AppendAsync(records, cancellationToken);

    public IEventReader OpenReader(params ReadOnlySpan<PartitionOffset> from) => new Reader(this, log.OpenReader(from));

    public ValueTask<Watermarks> WatermarksAsync(TopicPartition partition, CancellationToken cancellationToken) => log.WatermarksAsync(partition, cancellationToken);

    public ValueTask<IReadOnlyList<CommittedOffset>> CommittedAsync(string group, IReadOnlyList<TopicPartition> partitions, CancellationToken cancellationToken)
        => log.CommittedAsync(group, partitions, cancellationToken);

    public ValueTask CommitAsync(string group, IReadOnlyList<CommittedOffset> offsets, CancellationToken cancellationToken)
        => log.CommitAsync(group, offsets, cancellationToken);

    public ValueTask<ITransactionalWriter> OpenWriterAsync(string name, CancellationToken cancellationToken) => log.OpenWriterAsync(name, cancellationToken);

    public ValueTask<IGroupMember> JoinGroupAsync(string group, string topic, CancellationToken cancellationToken) => log.JoinGroupAsync(group, topic, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Reader(CountingLog owner, IEventReader reader) : IEventReader
    {
        public void Seek(PartitionOffset to) => reader.Seek(to);

        public void Remove(TopicPartition partition) => reader.Remove(partition);

        public async ValueTask<IReadOnlyList<PartitionBatch>> ReadAsync(int maxRecords, TimeSpan maxWait, CancellationToken cancellationToken)
        {
            owner.IsHeld |= !owner.Gate.IsCompleted;
            await owner.Gate.WaitAsync(cancellationToken);
            var batches = await reader.ReadAsync(maxRecords, maxWait, cancellationToken);
            lock (owner._read)
            {
                owner._read.AddRange(batches.SelectMany(b => b.Records.ToArray().Select(r => (b.Partition, r.Offset))));
            }

            return batches;
        }

        public ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}
