using Monolith.Events;

namespace Monolith.Ingestion.Joining;

/// <summary>
/// Rebuilds a partition's state: the journal says which input was taken, in which pieces, and how far windows had closed;
/// taking it again with the output switched off gives the state of the last commit.
/// </summary>
internal sealed class JoinRecovery(IEventLog log, JoinRules rules, string group, Func<ImpressionStore> store)
{
    private const int MaxRecords = 4096;
    private const int MaxEmptyReads = 300;
    private static readonly TimeSpan ReadWait = TimeSpan.FromMilliseconds(200);

    public async Task<JoinPartition> OpenAsync(int partition, CancellationToken cancellationToken)
    {
        var opened = new JoinPartition(rules, partition, store());
        var joins = new TopicPartition(rules.Topics.Joins, partition);
        var high = (await log.WatermarksAsync(joins, cancellationToken).ConfigureAwait(false)).High;
        var journal = await ReadJournalAsync(joins, high, cancellationToken).ConfigureAwait(false);
        if (journal.Count == 0)
        {
            opened.Continue(0, high);
            return opened;
        }

        var last = journal[^1].Entry;
        var live = journal.FindAll(j => j.Entry.Sequence >= last.FloorSequence);
        if (live.Count > 0)
        {
            await ReplayAsync(opened, live, cancellationToken).ConfigureAwait(false);
        }

        opened.State.Advance(last.WatermarkMs, new JoinOutput { Replaying = true });
        (opened.Impressions.Next, opened.Actions.Next) = (last.ImpressionsThrough, last.ActionsThrough);
        opened.Continue(last.Sequence + 1, high);
        return opened;
    }

    private async Task<List<(JoinEntry Entry, long Offset)>> ReadJournalAsync(TopicPartition joins, long high, CancellationToken cancellationToken)
    {
        var committed = await log.CommittedAsync(group, [joins], cancellationToken).ConfigureAwait(false);
        var from = committed.Count == 0 ? 0 : committed[0].Offset;
        await using var reader = new RangeReader(log.OpenReader(new PartitionOffset(joins, from)), joins, from);
        var records = await reader.ThroughAsync(high, cancellationToken).ConfigureAwait(false);
        var entries = new List<(JoinEntry, long)>(records.Length);
        foreach (var record in records.Span)
        {
            entries.Add((JoinEntry.Decode(record.Value.Span), record.Offset));
        }

        return entries;
    }

    private async Task ReplayAsync(JoinPartition into, List<(JoinEntry Entry, long Offset)> journal, CancellationToken cancellationToken)
    {
        var output = new JoinOutput { Replaying = true };
        await using var impressions = Open(rules.Topics.Impressions, into.Partition, journal[0].Entry.ImpressionsFrom);
        await using var actions = Open(rules.Topics.Actions, into.Partition, journal[0].Entry.ActionsFrom);
        foreach (var (entry, offset) in journal)
        {
            output.Begin(0);
            var shown = await impressions.ThroughAsync(entry.ImpressionsThrough, cancellationToken).ConfigureAwait(false);
            var done = await actions.ThroughAsync(entry.ActionsThrough, cancellationToken).ConfigureAwait(false);
            into.Replay(entry, offset, shown.Span, done.Span, output);
        }
    }

    private RangeReader Open(string topic, int partition, long from)
    {
        var start = new PartitionOffset(new TopicPartition(topic, partition), from);
        return new RangeReader(log.OpenReader(start), start.Partition, from);
    }

    /// <summary>Reads a partition in the pieces in which it was read before.</summary>
    private sealed class RangeReader(IEventReader reader, TopicPartition partition, long from) : IAsyncDisposable
    {
        private readonly List<EventRecord> _piece = [];
        private ReadOnlyMemory<EventRecord> _buffered;
        private long _position = from;

        public async ValueTask<ReadOnlyMemory<EventRecord>> ThroughAsync(long offset, CancellationToken cancellationToken)
        {
            _piece.Clear();
            for (var empty = 0; ;)
            {
                var taken = 0;
                while (taken < _buffered.Length && _buffered.Span[taken].Offset < offset)
                {
                    _piece.Add(_buffered.Span[taken++]);
                }

                _buffered = _buffered[taken..];
                if (_buffered.Length > 0 || _position >= offset)
                {
                    return _piece.ToArray();
                }

                var batch = (await reader.ReadAsync(MaxRecords, ReadWait, cancellationToken).ConfigureAwait(false))[0];
                (_buffered, _position) = (batch.Records, batch.NextOffset);
                if (batch.Records.Length > 0)
                {
                    empty = 0;
                }
                else if (_position < offset && ++empty == MaxEmptyReads)
                {
                    throw new EventLogException($"{partition} could not be read through offset {offset}.");
                }
            }
        }

        public ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}
