using Monolith.Events;

namespace Monolith.Ingestion.Joining;

/// <summary>One partition that this joiner owns: its state, how far its inputs are read, its journal.</summary>
internal sealed partial class JoinPartition(JoinRules rules, int partition, ImpressionStore store) : IDisposable
{
    private readonly PartitionJoiner _joiner = new(rules, partition, store);
    private readonly JoinFloor _floor = new(rules);
    private long _sequence;
    private long _journalNext;

    public int Partition { get; } = partition;

    public InputProgress Impressions { get; } = new();

    public InputProgress Actions { get; } = new();

    public PartitionJoiner State => _joiner;

    /// <summary>Whether event time could move on at once: the last transaction was full.</summary>
    public bool HasMore { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => _joiner.Dispose();

    /// <summary>Where the journal goes on.</summary>
    /// <param name="sequence">Number of the next transaction.</param>
    /// <param name="journalNext">Offset of the next journal record, or a lower bound of it.</param>
    public void Continue(long sequence, long journalNext) => (_sequence, _journalNext) = (sequence, journalNext);

    /// <summary>Takes a transaction of before the last stop.</summary>
    public void Replay(in JoinEntry entry, long journalOffset, ReadOnlySpan<EventRecord> impressions, ReadOnlySpan<EventRecord> actions, JoinOutput output)
    {
        _joiner.Advance(entry.WatermarkBeforeMs, output);
        Take(impressions, actions, output);
        _joiner.Advance(entry.WatermarkMs, output);
        _floor.Add(entry, journalOffset);
        Remember(entry, journalOffset);
        Impressions.Next = entry.ImpressionsThrough;
        Actions.Next = entry.ActionsThrough;
    }

    /// <summary>
    /// Takes what was read, moves event time, and adds to the transaction what must move together.
    /// </summary>
    /// <returns>Whether there is anything to commit.</returns>
    public bool Apply(
        in PartitionBatch impressions,
        in PartitionBatch actions,
        long nowMs,
        long maxOutputBytes,
        JoinOutput output,
        List<CommittedOffset> offsets)
    {
        var before = new JoinEntry { ImpressionsFrom = Impressions.Next, ActionsFrom = Actions.Next, WatermarkBeforeMs = _joiner.WatermarkMs };
        var newestMs = Take(impressions.Records.Span, actions.Records.Span, output);
        Took(Impressions, impressions);
        Took(Actions, actions);
        var target = Target(nowMs);
        var changed = _joiner.Advance(target, output, maxOutputBytes);
        HasMore = _joiner.WatermarkMs < target;
        if (!changed && Impressions.Next == before.ImpressionsFrom && Actions.Next == before.ActionsFrom)
        {
            return false;
        }

        Journal(
            before with
            {
                Sequence = _sequence,
                ImpressionsThrough = Impressions.Next,
                ActionsThrough = Actions.Next,
                WatermarkMs = _joiner.WatermarkMs,
                NewestMs = newestMs,
            },
            output,
            offsets);
        return true;
    }

    private static void Took(InputProgress input, in PartitionBatch batch)
    {
        if (!input.Paused)
        {
            input.Next = batch.NextOffset;
            input.AtEnd = batch.AtEnd;
        }
    }

    private long Take(ReadOnlySpan<EventRecord> impressions, ReadOnlySpan<EventRecord> actions, JoinOutput output)
    {
        var newestMs = 0L;
        foreach (ref readonly var record in impressions)
        {
            newestMs = Math.Max(newestMs, Saw(Impressions, _joiner.Impression(record, output), record));
        }

        foreach (ref readonly var record in actions)
        {
            newestMs = Math.Max(newestMs, Saw(Actions, _joiner.Action(record, output), record));
        }

        return newestMs;
    }

    private static long Saw(InputProgress input, long? eventTimeMs, in EventRecord record)
    {
        // A sender whose clock runs ahead does not close other people's windows: the log's clock is the bound.
        input.Saw(Math.Min(eventTimeMs ?? 0, record.AppendTimeMs));
        return eventTimeMs ?? 0;
    }

    /// <summary>
    /// Event time everything has been seen through: what both inputs have been read through; at the end of both also what
    /// the clock says, less the allowed skew, so that windows close when nothing comes any more.
    /// </summary>
    private long Target(long nowMs)
    {
        var newest = Math.Max(Impressions.NewestMs, Actions.NewestMs);
        return (Impressions.AtEnd, Actions.AtEnd) switch
        {
            (true, true) => Math.Max(newest, nowMs - rules.AllowedSkewMs),
            (true, false) => Actions.NewestMs,
            (false, true) => Impressions.NewestMs,
            _ => Math.Min(Impressions.NewestMs, Actions.NewestMs),
        };
    }

    private void Journal(JoinEntry entry, JoinOutput output, List<CommittedOffset> offsets)
    {
        _floor.Add(entry, _journalNext);
        var floor = _floor.At(entry.WatermarkMs) ?? new FloorPiece
        {
            Sequence = entry.Sequence + 1,
            ImpressionsFrom = entry.ImpressionsThrough,
            ActionsFrom = entry.ActionsThrough,
            JournalOffset = _journalNext,
        };
        entry = entry with { FloorSequence = floor.Sequence };
        Remember(entry, _journalNext);
        _sequence++;
        _journalNext++;
        output.Records.Add(new NewRecord(rules.Topics.Joins, Partition, default, entry.Encode()));
        offsets.Add(new CommittedOffset(new TopicPartition(rules.Topics.Impressions, Partition), floor.ImpressionsFrom));
        offsets.Add(new CommittedOffset(new TopicPartition(rules.Topics.Actions, Partition), floor.ActionsFrom));
        // The newest entry is always kept: it says how far the inputs were taken.
        offsets.Add(new CommittedOffset(new TopicPartition(rules.Topics.Joins, Partition), floor.JournalOffset));
    }
}
