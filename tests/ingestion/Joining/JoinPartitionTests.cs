using CsCheck;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinPartitionTests
{
    private const long StartMs = 1_700_000_000_000;
    private const long StepMs = 400;
    private static readonly JoinRules Rules = new(Fixture.Spec, 1);
    private static readonly string[] Items = ["a", "b", "c"];

    /// <summary>What happens in a step: who is shown or clicked, whether it comes twice, how long nothing happens, a restart.</summary>
    private static readonly Gen<(bool Click, int Request, int Item, bool Twice, int Pause, bool Restart)[]> Steps =
        Gen.Select(Gen.Bool, Gen.Int[0, 7], Gen.Int[0, 2], Gen.Bool, Gen.Frequency((20, Gen.Const(0)), (1, Gen.Int[1, 40])), Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true))))
            .Array[1, 60];

    [Fact]
    public void However_events_come_and_whenever_it_restarts_each_item_is_one_example_with_a_label_that_happened()
        => Steps.Sample(steps => Check(steps, keepJournal: true), iter: 1_000);

    [Fact]
    public void Without_the_journal_the_same_check_fails()
        => Assert.ThrowsAny<Exception>(() => Steps.Sample(steps => Check(steps, keepJournal: false), iter: 1_000));

    private static bool Check((bool Click, int Request, int Item, bool Twice, int Pause, bool Restart)[] steps, bool keepJournal)
    {
        var run = new Run(keepJournal);
        var shown = new HashSet<int>();
        var clicked = new HashSet<string>();
        foreach (var step in steps)
        {
            run.NowMs += StepMs * (1 + step.Pause);
            for (var times = step.Twice ? 2 : 1; times > 0; times--)
            {
                if (step.Click)
                {
                    clicked.Add($"r{step.Request}/{Items[step.Item]}");
                    run.Click(Fixture.Action($"r{step.Request}", Items[step.Item], run.NowMs));
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

        run.NowMs += 10 * Rules.WindowMs;
        run.Apply();
        var labels = run.Groups.SelectMany(g => g.Examples.Select(e => (Key: $"{g.RequestId}/{e.ItemId}", e.Labels[0].Value))).ToList();
        var dead = run.Dead.Select(d => d.RequestId).ToHashSet();
        return labels.Select(l => l.Key).Distinct().Count() == labels.Count
            && shown.All(r => dead.Contains($"r{r}") || Items.All(i => labels.Exists(l => l.Key == $"r{r}/{i}")))
            && labels.TrueForAll(l => l.Value == 0 || clicked.Contains(l.Key));
    }

    /// <summary>A partition with the log it stands on, in memory.</summary>
    private sealed class Run(bool keepJournal)
    {
        private readonly List<EventRecord> _impressions = [];
        private readonly List<EventRecord> _actions = [];
        private readonly List<JoinEntry> _journal = [];
        private readonly JoinOutput _output = new();
        private JoinPartition _partition = new(Rules, 0);

        public long NowMs { get; set; } = StartMs;

        public List<ExampleGroup> Groups { get; } = [];

        public List<Impression> Dead { get; } = [];

        public void Show(Impression impression) => _impressions.Add(new EventRecord(_impressions.Count, NowMs, default, impression.ToByteArray()));

        public void Click(Contracts.Events.Action action) => _actions.Add(new EventRecord(_actions.Count, NowMs, default, action.ToByteArray()));

        public void Apply()
        {
            _output.Begin(NowMs);
            _partition.Apply(
                Batch(Rules.Topics.Impressions, _impressions, _partition.Impressions.Next),
                Batch(Rules.Topics.Actions, _actions, _partition.Actions.Next),
                NowMs,
                long.MaxValue,
                _output,
                []);
            foreach (var record in _output.Records)
            {
                if (record.Topic == Rules.Topics.Joins)
                {
                    _journal.Add(JoinEntry.Decode(record.Value.Span));
                }
                else if (record.Topic == Rules.Topics.Examples)
                {
                    Groups.Add(ExampleGroup.Parser.ParseFrom(record.Value.Span));
                }
                else if (record.Topic == Rules.Topics.DeadLetters)
                {
                    Dead.Add(Impression.Parser.ParseFrom(record.Value.Span));
                }
            }
        }

        /// <summary>A new process: state from the journal, or, to prove the check, from nothing.</summary>
        public void Restart()
        {
            _partition = new JoinPartition(Rules, 0);
            if (!keepJournal || _journal.Count == 0)
            {
                return;
            }

            var last = _journal[^1];
            foreach (var entry in _journal.Where(e => e.Sequence >= last.FloorSequence))
            {
                _partition.Replay(
                    entry,
                    entry.Sequence,
                    Slice(_impressions, entry.ImpressionsFrom, entry.ImpressionsThrough),
                    Slice(_actions, entry.ActionsFrom, entry.ActionsThrough),
                    new JoinOutput { Replaying = true });
            }

            _partition.State.Advance(last.WatermarkMs, new JoinOutput { Replaying = true });
            (_partition.Impressions.Next, _partition.Actions.Next) = (last.ImpressionsThrough, last.ActionsThrough);
            _partition.Continue(last.Sequence + 1, last.Sequence + 1);
        }

        private static EventRecord[] Slice(List<EventRecord> records, long from, long through) => [.. records.Skip((int)from).Take((int)(through - from))];

        private static PartitionBatch Batch(string topic, List<EventRecord> records, long from)
            => new(new TopicPartition(topic, 0), Slice(records, from, records.Count), records.Count, AtEnd: true);
    }
}
