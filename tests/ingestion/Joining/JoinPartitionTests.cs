using System.Text;
using CsCheck;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinPartitionTests
{
    private const long StartMs = 1_700_000_000_000;
    private const long StepMs = 400;
    private static readonly string[] Kinds = ["click", "buy", "hide"];
    private static readonly string[] Items = ["a", "b", "c"];

    /// <summary>What happens in a step: who is shown or clicked, whether it comes twice, how long nothing happens, a restart.</summary>
    private static readonly Gen<(bool Click, int Request, int Item, bool Twice, int Pause, bool Restart)[]> Steps =
        Gen.Select(Gen.Bool, Gen.Int[0, 7], Gen.Int[0, 2], Gen.Bool, Gen.Frequency((20, Gen.Const(0)), (1, Gen.Int[1, 40])), Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true))))
            .Array[1, 60];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void However_events_come_and_whenever_it_restarts_each_label_is_said_once_and_happened(bool twoTasks)
        => Steps.Sample(steps => Check(SpecOf(twoTasks), steps, keepJournal: true), iter: 1_000);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_the_journal_the_same_check_fails(bool twoTasks)
        => Assert.ThrowsAny<Exception>(() => Steps.Sample(steps => Check(SpecOf(twoTasks), steps, keepJournal: false), iter: 1_000));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_any_memory_for_impressions_the_same_is_emitted_from_disk(bool twoTasks)
    {
        var (spec, spilled) = (SpecOf(twoTasks), 0L);
        Steps.Sample(
            steps =>
            {
                using var fromMemory = new Run(new JoinRules(spec, 1), keepJournal: true);
                using var fromDisk = new Run(new JoinRules(spec, 1), keepJournal: true, budgetBytes: 0);
                var same = Check(spec, steps, fromMemory) && Check(spec, steps, fromDisk) && fromMemory.Groups.SequenceEqual(fromDisk.Groups);
                Interlocked.Add(ref spilled, fromDisk.MostSpilledBytes);
                return same && fromMemory.MostSpilledBytes == 0;
            },
            iter: 300);
        Assert.True(spilled > 0);
    }

    private static ModelSpec SpecOf(bool twoTasks) => twoTasks ? Fixture.TwoTasks : Fixture.Spec;

    private static bool Check(ModelSpec spec, (bool Click, int Request, int Item, bool Twice, int Pause, bool Restart)[] steps, bool keepJournal)
    {
        using var run = new Run(new JoinRules(spec, 1), keepJournal);
        return Check(spec, steps, run);
    }

    private static bool Check(ModelSpec spec, (bool Click, int Request, int Item, bool Twice, int Pause, bool Restart)[] steps, Run run)
    {
        var rules = new JoinRules(spec, 1);
        var shown = new HashSet<int>();
        var done = new HashSet<string>();
        foreach (var step in steps)
        {
            run.NowMs += StepMs * (1 + step.Pause);
            for (var times = step.Twice ? 2 : 1; times > 0; times--)
            {
                if (step.Click)
                {
                    var kind = spec.Tasks.Length == 1 ? "click" : Kinds[(step.Request + step.Item) % Kinds.Length];
                    done.Add($"r{step.Request}/{Items[step.Item]}/{kind}");
                    run.Click(Fixture.Action($"r{step.Request}", Items[step.Item], run.NowMs, kind));
                }
                else if (times == 1 || !shown.Contains(step.Request))
                {
                    // A request is shown once in its life; what comes again is the same record.
                    run.Show(Fixture.Impression($"r{step.Request}", StartMs + step.Request, Items));
                    shown.Add(step.Request);
                }
            }

            run.Apply();
            if (step.Restart)
            {
                run.Restart();
            }
        }

        run.NowMs += 10 * rules.WindowMs;
        run.Apply();
        var labels = run.Groups
            .SelectMany(g => g.Examples.SelectMany(e => e.Labels.Index().Where(l => l.Item.Present)
                .Select(l => (Key: (g.RequestId, e.ItemId, Task: l.Index), l.Item.Value))))
            .ToList();
        var dead = run.Dead.Select(d => d.RequestId).ToHashSet();
        var said = labels.ToDictionary(l => l.Key, l => l.Value); // throws when a label was said twice
        return shown.Where(r => !dead.Contains($"r{r}")).All(r => Items.All(i => Enumerable.Range(0, spec.Tasks.Length).All(
            t => said.ContainsKey(($"r{r}", i, t)) || !Keeps(rules, t, $"r{r}", i))))
            && labels.TrueForAll(l => done.Contains($"{l.Key.RequestId}/{l.Key.ItemId}/{spec.Tasks[l.Key.Task].Name}")
                || (l.Value == 0 && (Keeps(rules, l.Key.Task, l.Key.RequestId, l.Key.ItemId) || done.Contains($"{l.Key.RequestId}/{l.Key.ItemId}/hide"))));
    }

    private static bool Keeps(JoinRules rules, int task, string request, string item)
        => rules.Sampling[task].Keeps(Encoding.UTF8.GetBytes(request), Encoding.UTF8.GetBytes(item));

    /// <summary>A partition with the log it stands on, in memory.</summary>
    private sealed class Run(JoinRules rules, bool keepJournal, long budgetBytes = long.MaxValue) : IDisposable
    {
        private readonly List<EventRecord> _impressions = [];
        private readonly List<EventRecord> _actions = [];
        private readonly List<JoinEntry> _journal = [];
        private readonly JoinOutput _output = new();
        private ImpressionStore? _store;
        private JoinPartition? _partition;

        public long MostSpilledBytes { get; private set; }

        private JoinPartition Partition => _partition ??= new JoinPartition(rules, 0, _store = new ImpressionStore(new JoinMemory(budgetBytes, 64), Path.GetTempPath()));

        public long NowMs { get; set; } = StartMs;

        public List<ExampleGroup> Groups { get; } = [];

        public List<Impression> Dead { get; } = [];

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
            foreach (var record in _output.Records)
            {
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
            if (!keepJournal || _journal.Count == 0)
            {
                return;
            }

            var last = _journal[^1];
            foreach (var entry in _journal.Where(e => e.Sequence >= last.FloorSequence))
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
}
