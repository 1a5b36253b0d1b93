using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Joining;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>A partition with the log it stands on, in memory, and its checkpoints in a folder, if there is one.</summary>
internal sealed class PartitionRun(JoinRules rules, bool keepJournal, long budgetBytes = long.MaxValue, CheckpointFiles? files = null) : IDisposable
{
    public const long StartMs = 1_700_000_000_000;
    private readonly List<EventRecord> _impressions = [];
    private readonly List<EventRecord> _actions = [];
    private readonly List<JoinEntry> _journal = [];
    private readonly JoinOutput _output = new();
    private readonly JoinMemory _memory = new(budgetBytes, 250);
    private ImpressionStore? _store;
    private JoinPartition? _partition;
    private long? _checkpointed;

    public long MostSpilledBytes { get; private set; }

    public JoinPartition Partition => _partition ??= Open();

    public long NowMs { get; set; } = StartMs;

    public List<ExampleGroup> Groups { get; } = [];

    public List<Impression> Dead { get; } = [];

    /// <summary>Everything that was written, and everything that was counted.</summary>
    public List<(string Topic, ByteString Key, ByteString Value)> Written { get; } = [];

    public JoinCounts Counts { get; } = new();

    public int Transactions => _journal.Count;

    /// <summary>Whether the partition's files are at hand: after a restart from the journal it is taken to be elsewhere.</summary>
    public bool IsHere { get; private set; } = files is not null;

    /// <summary>Whether there is a checkpoint, of a transaction that is not below the floor.</summary>
    public bool CanContinue => _checkpointed + 1 >= _journal.LastOrDefault().FloorSequence;

    public void Show(Impression impression) => _impressions.Add(new EventRecord(_impressions.Count, NowMs, default, impression.ToByteArray()));

    public void Click(Contracts.Events.Action action) => _actions.Add(new EventRecord(_actions.Count, NowMs, default, action.ToByteArray()));

    public void Apply()
    {
        _output.Begin(NowMs);
        Partition.Apply(
            Batch(rules.Topics.Impressions, _impressions, Partition.Impressions.Next),
            Batch(rules.Topics.Actions, _actions, Partition.Actions.Next),
            NowMs,
            long.MaxValue,
            _output,
            []);
        MostSpilledBytes = Math.Max(MostSpilledBytes, _store!.SpilledBytes);
        Counts.Add(_output.Counts);
        foreach (var record in _output.Records)
        {
            Written.Add((record.Topic, ByteString.CopyFrom(record.Key.Span), ByteString.CopyFrom(record.Value.Span)));
            if (record.Topic == rules.Topics.Joins)
            {
                _journal.Add(JoinEntry.Decode(record.Value.Span));
            }
            else if (record.Topic == rules.Topics.Examples)
            {
                Groups.Add(ExampleGroup.Parser.ParseFrom(record.Value.Span));
            }
            else if (record.Topic == rules.Topics.DeadLetters)
            {
                Dead.Add(Impression.Parser.ParseFrom(record.Value.Span));
            }
        }
    }

    public void Dispose()
    {
        _partition?.Dispose();
        _partition = null;
    }

    /// <summary>A new process: state from the journal, or, to prove the check, from nothing.</summary>
    public void Restart()
    {
        Dispose();
        IsHere = false;
        if (keepJournal && _journal.Count > 0)
        {
            Replay(_journal[^1].FloorSequence);
        }
    }

    /// <summary>Takes a checkpoint of the last transaction; <paramref name="publish"/>: and finishes it.</summary>
    public void Checkpoint(bool publish = true, System.Action? meanwhile = null)
    {
        using var checkpoint = new CheckpointWriter(_memory);
        Partition.Capture(checkpoint, _journal.Count);
        var sequence = _journal[^1].Sequence;
        meanwhile?.Invoke();
        if (publish)
        {
            files!.Publish(checkpoint);
            Partition.Published();
            _checkpointed = sequence;
        }
    }

    /// <summary>A new process that continues from the last checkpoint and takes again what came after it.</summary>
    public void RestartFromCheckpoint()
    {
        Dispose();
        IsHere = true;
        using var checkpoint = CheckpointReader.Open(files!.Checkpoint);
        var head = CheckpointHead.Read(checkpoint, rules);
        Partition.Restore(checkpoint, head);
        Replay(head.Entry.Sequence + 1);
    }

    private JoinPartition Open() => new(rules, 0, _store = new ImpressionStore(_memory, IsHere ? files : null));

    private void Replay(long fromSequence)
    {
        var last = _journal[^1];
        foreach (var entry in _journal.Where(e => e.Sequence >= fromSequence))
        {
            Partition.Replay(
                entry,
                entry.Sequence,
                Slice(_impressions, entry.ImpressionsFrom, entry.ImpressionsThrough),
                Slice(_actions, entry.ActionsFrom, entry.ActionsThrough),
                new JoinOutput { Replaying = true });
        }

        Partition.State.Advance(last.WatermarkMs, new JoinOutput { Replaying = true });
        (Partition.Impressions.Next, Partition.Actions.Next) = (last.ImpressionsThrough, last.ActionsThrough);
        Partition.Continue(last.Sequence + 1, last.Sequence + 1);
    }

    private static EventRecord[] Slice(List<EventRecord> records, long from, long through) => [.. records.Skip((int)from).Take((int)(through - from))];

    private static PartitionBatch Batch(string topic, List<EventRecord> records, long from)
        => new(new TopicPartition(topic, 0), Slice(records, from, records.Count), records.Count, AtEnd: true);
}
