using CsCheck;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>The joiner's labels against <see cref="LabelOracle"/>, step by step.</summary>
public sealed class PartitionJoinerTests
{
    private const long StartMs = 1_700_000_000_000;
    private static readonly string[] ItemIds = ["a", "b", "c", "z"];
    private static readonly string[] KindNames = ["view", "click", "buy", "noise"];
    private static readonly double[] Values = [0, 1, 5, 10, -3];
    private static readonly long[] WindowsMs = [300, 301, 700, 2000];

    private enum What
    {
        Show,
        Act,
        Wait,
    }

    private static readonly Gen<ActionRule> Rule =
        from kind in Gen.Int[0, 2]
        from positive in Gen.Frequency((2, Gen.Const(true)), (1, Gen.Const(false)))
        from least in OneOf<double?>(null, null, 5)
        from below in OneOf<double?>(null, null, 5, 10)
        from weight in OneOf(1.0, 1, 2.5)
        from isValue in Gen.Bool
        select new ActionRule
        {
            Kind = KindNames[kind],
            IsPositive = positive,
            AtLeast = least,
            Below = below,
            Weight = weight,
            WeightIsValue = isValue,
            MaxWeight = 7,
        };

    private static readonly Gen<ModelSpec> Specs =
        from rules in Rule.Array[1, 4].Array[1, 3]
        from keep in OneOf(1, 0.5, 0.1).Array[3]
        from windows in Gen.Int[0, 3].Array[3]
        from given in Gen.Bool.Array[3]
        from scale in OneOf(1, 100)
        from seed in Gen.ULong
        select Fixture.SpecOf("click") with
        {
            Seed = seed,
            Tasks = [.. rules.Select((r, t) => new TaskSpec { Name = $"task{t}", Label = "", Actions = [.. r], KeepNegatives = keep[t] })],
            Join = new JoinSpec
            {
                Window = TimeSpan.FromMilliseconds(500 * scale),
                Windows = [.. KindNames.Take(3).Select((k, i) => new KindWindow(k, TimeSpan.FromMilliseconds(WindowsMs[windows[i]] * scale))).Where((_, i) => given[i])],
            },
        };

    private static readonly Gen<Step[]> Steps =
        Gen.Select(
            OneOf(What.Show, What.Act, What.Act, What.Act, What.Wait),
            Gen.Int[0, 4], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 4], Gen.Int[-200, 2200], Gen.Frequency((4, Gen.Const(1)), (1, Gen.Const(2))),
            (what, request, item, kind, value, time, times) => new Step(what, request, item, kind, value, time, times))
            .Array[1, 60];

    [Fact]
    public void Every_label_is_said_once_when_and_as_the_rules_say_and_every_event_is_counted_once()
    {
        var seen = new JoinCounts();
        var gate = new Lock();
        Gen.Select(Specs, Steps).Sample(
            (spec, steps) =>
            {
                var counts = Check(spec, steps);
                lock (gate)
                {
                    seen.Add(counts);
                }
            },
            iter: 3_000);

        // The cases are no cases unless everything happened; the rarest, a partly late action, does so about 20 times.
        long[] all =
        [
            seen.Matched, seen.PartlyLate, seen.Outranked, seen.Late, seen.Duplicates, seen.Orphans, seen.Unlabelled, seen.Positives,
            seen.Negatives, seen.SampledAway, seen.DeadLetters,
        ];
        Assert.True(all.Min() > 0, string.Join(' ', all));
    }

    private static JoinCounts Check(ModelSpec spec, Step[] steps)
    {
        var rules = new JoinRules(spec, 1);
        using var joiner = new PartitionJoiner(rules, 0, new ImpressionStore(new JoinMemory(long.MaxValue)));
        var (oracle, counts, said) = (new LabelOracle(spec, rules.BucketMs), new JoinCounts(), new HashSet<(int, string, int)>());
        var scale = (long)spec.Join.Window.TotalMilliseconds / 500;
        var (nowMs, offset) = (StartMs, 0L);
        foreach (var step in steps.Append(new Step(What.Wait, 0, 0, 0, 0, 100_000, 1)))
        {
            var output = new JoinOutput();
            output.Begin(nowMs);
            var shownMs = StartMs + (step.Request * 150 * scale);
            for (var times = step.Times; times > 0; times--)
            {
                switch (step.What)
                {
                    case What.Show:
                        string[] items = step.Request % 2 == 0 ? ["a", "b", "c"] : ["b", "a", "b"];
                        joiner.Impression(Record(offset++, shownMs, Fixture.Impression($"r{step.Request}", shownMs, items)), output);
                        oracle.Show(step.Request, shownMs, items);
                        break;
                    case What.Act:
                        var done = new LabelOracle.Done(
                            step.Request, ItemIds[step.Item], KindNames[step.Kind], Values[step.Value], shownMs + (step.Time * scale));
                        var action = Fixture.Action($"r{step.Request}", done.Item, done.TimeMs, done.Kind);
                        action.Value = done.Value;
                        joiner.Action(Record(offset++, done.TimeMs, action), output);
                        oracle.Act(done);
                        break;
                    default:
                        nowMs += Math.Max(0, step.Time) * scale / 3;
                        joiner.Advance(nowMs, output);
                        oracle.Advance(nowMs);
                        break;
                }
            }

            var labels = LabelsOf(output);
            Assert.Equal(oracle.Said.Order(Comparer<SaidLabel>.Create(Compare)), labels.Order(Comparer<SaidLabel>.Create(Compare)));
            Assert.All(labels, l => Assert.True(said.Add((l.Request, l.Item, l.Task)), $"{l} was said before"));
            oracle.Said.Clear();
            counts.Add(output.Counts);
            oracle.Counts.Examples = counts.Examples;
            Assert.Equal(oracle.Counts, counts);
            Assert.Equal(oracle.Waiting, joiner.Waiting);
            Assert.Equal(
                counts.Impressions + counts.Actions,
                counts.Requests + counts.Empty + counts.Matched + counts.Duplicates + counts.Late + counts.Outranked + counts.Orphans
                    + counts.Unlabelled + joiner.Waiting);
        }

        Assert.Equal((0, 0, 0), (joiner.PendingItems, joiner.Requests, joiner.Waiting));
        Assert.Equal(said.Count, counts.Positives + counts.Negatives);
        return counts;
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static int Compare(SaidLabel a, SaidLabel b)
        => (a.Request, a.Item, a.Task, a.Value).CompareTo((b.Request, b.Item, b.Task, b.Value));

    private static List<SaidLabel> LabelsOf(JoinOutput output)
    {
        var labels = new List<SaidLabel>();
        var examples = 0;
        foreach (var record in output.Records.Where(r => r.Topic.EndsWith(".examples", StringComparison.Ordinal)))
        {
            var group = ExampleGroup.Parser.ParseFrom(record.Value.Span);
            examples += group.Examples.Count;
            foreach (var example in group.Examples)
            {
                Assert.Contains(example.Labels, l => l.Present);
                labels.AddRange(example.Labels.Index().Where(l => l.Item.Present).Select(l => new SaidLabel(
                    int.Parse(group.RequestId.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture), example.ItemId, l.Index, l.Item.Value,
                    OrOne(l.Item.KeepRate), OrOne(l.Item.Weight))));
            }
        }

        Assert.Equal(examples, output.Counts.Examples);
        return labels;
    }

    private static float OrOne(float value) => value == 0 ? 1 : value;

    /// <summary>What happens in a step, and how often.</summary>
    private readonly record struct Step(What What, int Request, int Item, int Kind, int Value, int Time, int Times);

    private static EventRecord Record(long offset, long timeMs, IMessage message) => new(offset, timeMs, default, message.ToByteArray());
}
