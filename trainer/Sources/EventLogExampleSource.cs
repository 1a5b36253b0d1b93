using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;

namespace Monolith.Trainer.Sources;

/// <summary>The examples topic of the event log as a source; stream <c>examples</c>.</summary>
/// <param name="log">The log.</param>
/// <param name="topic">The topic.</param>
/// <param name="partitions">Its number of partitions.</param>
public sealed class EventLogExampleSource(IEventLog log, string topic, int partitions) : IExampleSource
{
    /// <inheritdoc/>
    public string Stream => "examples";

    /// <inheritdoc/>
    public int Partitions { get; } = partitions;

    /// <inheritdoc/>
    public bool IsHistory => false;

    /// <inheritdoc/>
    public async ValueTask<IExampleReader> Open(int partition, long offset, CancellationToken cancellation)
    {
        var place = new TopicPartition(topic, partition);
        var (low, high) = await log.WatermarksAsync(place, cancellation);
        if (offset > high)
        {
            throw new InvalidDataException(
                $"{place} ends at offset {high}, but the parts have learned through {offset}: they learned from another log. "
                + "Put the two together again, or start with a new data folder.");
        }

        var from = Math.Max(offset, low);
        return new Reader(log.OpenReader(new PartitionOffset(place, from)), from);
    }

    private sealed class Reader(IEventReader reader, long position) : IExampleReader
    {
        private readonly List<ExampleRecord> _records = [];

        public long Position { get; private set; } = position;

        public async ValueTask<ExampleRead> Read(int maxRecords, TimeSpan maxWait, CancellationToken cancellation)
        {
            var batch = (await reader.ReadAsync(maxRecords, maxWait, cancellation))[0];
            _records.Clear();
            foreach (var record in batch.Records.Span)
            {
                _records.Add(new ExampleRecord(record.Offset, record.NextOffset, Parse(batch.Partition, record)));
            }

            Position = batch.NextOffset;
            return new ExampleRead(_records, Ended: false);
        }

        public ValueTask DisposeAsync() => reader.DisposeAsync();

        // Only the joiner writes this topic, in transactions: what cannot be read is damage, not somebody's mistake.
        private static ExampleGroup Parse(TopicPartition partition, EventRecord record)
        {
            try
            {
                return ExampleGroup.Parser.ParseFrom(record.Value.Span);
            }
            catch (InvalidProtocolBufferException e)
            {
                throw new InvalidDataException($"the record at offset {record.Offset} of {partition} is no example group", e);
            }
        }
    }
}
