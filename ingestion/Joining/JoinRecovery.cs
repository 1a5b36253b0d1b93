using Microsoft.Extensions.Logging;
using Monolith.Events;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>
/// Rebuilds a partition's state: the journal says which input was taken, in which pieces, and how far windows had closed;
/// taking it again with the output switched off gives the state of the last commit. It begins with the last checkpoint, when
/// there is one whose transaction the journal still holds, and with nothing otherwise.
/// </summary>
internal sealed partial class JoinRecovery(
    IEventLog log, JoinRules rules, string group, JoinMemory memory, TimeProvider time, ILogger logger, Func<int, CheckpointFiles>? files)
{
    private const int MaxRecords = 4096;
    private const int MaxEmptyReads = 300;
    private static readonly TimeSpan ReadWait = TimeSpan.FromMilliseconds(200);
    private readonly ILogger _logger = logger;

    public async Task<JoinPartition> OpenAsync(int partition, CancellationToken cancellationToken)
    {
        var joins = new TopicPartition(rules.Topics.Joins, partition);
        var high = (await log.WatermarksAsync(joins, cancellationToken).ConfigureAwait(false)).High;
        var of = files?.Invoke(partition);
        if (of is not null)
        {
            if (File.Exists(of.Checkpoint) && await FromCheckpointAsync(of, joins, high, cancellationToken).ConfigureAwait(false) is { } continued)
            {
                return continued;
            }

            of.KeepOnly();
        }

        var opened = new JoinPartition(rules, partition, new ImpressionStore(memory, of));
        var committed = await log.CommittedAsync(group, [joins], cancellationToken).ConfigureAwait(false);
        var journal = await ReadJournalAsync(joins, committed.Count == 0 ? 0 : committed[0].Offset, high, cancellationToken).ConfigureAwait(false);
        if (journal.Count == 0)
        {
            opened.Continue(0, high);
            return opened;
        }

        var last = journal[^1].Entry;
        await ReplayAsync(opened, journal.FindAll(j => j.Entry.Sequence >= last.FloorSequence), last, high, cancellationToken).ConfigureAwait(false);
        return opened;
    }

    private async Task<JoinPartition?> FromCheckpointAsync(CheckpointFiles of, TopicPartition joins, long high, CancellationToken cancellationToken)
    {
        JoinPartition? opened = null;
        try
        {
            var started = time.GetTimestamp();
            using var checkpoint = CheckpointReader.Open(of.Checkpoint);
            var head = CheckpointHead.Read(checkpoint, rules);
            var journal = await ReadJournalAsync(joins, head.JournalOffset, high, cancellationToken).ConfigureAwait(false);
            if (journal.Count > 0 && head.Entry.Sequence + 1 < journal[^1].Entry.FloorSequence)
            {
                // Others have joined since, or a kill came before it was withdrawn. What it has not seen may be gone already.
                LogOutlived(joins.Partition);
                return null;
            }

            var at = journal.FindIndex(j => j.Entry == head.Entry);
            if (at < 0)
            {
                throw new InvalidDataException("The journal does not hold its transaction any more.");
            }

            opened = new JoinPartition(rules, joins.Partition, new ImpressionStore(memory, of));
            opened.Restore(checkpoint, head);
            var (requests, restored) = (opened.State.Requests, time.GetElapsedTime(started));
            await ReplayAsync(opened, journal[(at + 1)..], journal[^1].Entry, high, cancellationToken).ConfigureAwait(false);
            LogContinued(joins.Partition, requests, checkpoint.Bytes, restored.TotalSeconds, opened.ToReplay);
            return opened;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            opened?.Dispose();
            LogRefused(joins.Partition, e.Message);
            return null;
        }
        catch
        {
            opened?.Dispose();
            throw;
        }
    }

    private async Task<List<(JoinEntry Entry, long Offset)>> ReadJournalAsync(TopicPartition joins, long from, long high, CancellationToken cancellationToken)
    {
        await using var reader = new RangeReader(log.OpenReader(new PartitionOffset(joins, from)), joins, from);
        var entries = new List<(JoinEntry, long)>();
        for (var through = from; through < high;)
        {
            through = Math.Min(through + MaxRecords, high);
            foreach (var record in (await reader.ThroughAsync(through, cancellationToken).ConfigureAwait(false)).Span)
            {
                entries.Add((JoinEntry.Decode(record.Value.Span), record.Offset));
            }
        }

        return entries;
    }

    private async Task ReplayAsync(
        JoinPartition into, List<(JoinEntry Entry, long Offset)> journal, JoinEntry last, long high, CancellationToken cancellationToken)
    {
        var output = new JoinOutput { Replaying = true };
        if (journal.Count > 0)
        {
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

        into.State.Advance(last.WatermarkMs, output);
        (into.Impressions.Next, into.Actions.Next) = (last.ImpressionsThrough, last.ActionsThrough);
        into.Continue(last.Sequence + 1, high);
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

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Partition {Partition} continues from its checkpoint: {Requests} requests, {Bytes} bytes read in {Seconds:F2} s; {Records} records after it were taken again")]
    private partial void LogContinued(int partition, int requests, long bytes, double seconds, long records);

    [LoggerMessage(Level = LogLevel.Information, Message = "The checkpoint of partition {Partition} is older than all that is pending and not needed")]
    private partial void LogOutlived(int partition);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The checkpoint of partition {Partition} is not used; all input that is needed is taken again. {Reason}")]
    private partial void LogRefused(int partition, string reason);
}
