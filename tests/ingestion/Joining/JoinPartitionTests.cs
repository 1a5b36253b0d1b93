using System.Text;
using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Ingestion.Joining;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinPartitionTests
{
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
    public void The_same_holds_when_a_restart_continues_from_a_checkpoint_of_before_others_had_the_partition(bool twoTasks)
    {
        var continued = 0;
        Steps.Sample(
            steps =>
            {
                using var folder = new TemporaryFolder();
                using var run = new PartitionRun(new JoinRules(SpecOf(twoTasks), 1), keepJournal: true, files: new CheckpointFiles(folder.Path));
                return Check(SpecOf(twoTasks), steps, run, (at, r) =>
                {
                    if (r.IsHere && r.Transactions > 0 && at % 3 == 0)
                    {
                        r.Checkpoint();
                    }

                    if (r.CanContinue && at % 5 == 0)
                    {
                        r.RestartFromCheckpoint();
                        Interlocked.Increment(ref continued);
                    }
                });
            },
            iter: 300);
        Assert.True(continued > 300);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_any_memory_for_impressions_the_same_is_emitted_from_disk(bool twoTasks)
    {
        var (spec, spilled) = (SpecOf(twoTasks), 0L);
        Steps.Sample(
            steps =>
            {
                using var fromMemory = new PartitionRun(new JoinRules(spec, 1), keepJournal: true);
                using var fromDisk = new PartitionRun(new JoinRules(spec, 1), keepJournal: true, budgetBytes: 0);
                var same = Check(spec, steps, fromMemory) && Check(spec, steps, fromDisk) && fromMemory.Groups.SequenceEqual(fromDisk.Groups);
                Interlocked.Add(ref spilled, fromDisk.MostSpilledBytes);
                return same && fromMemory.MostSpilledBytes == 0;
            },
            iter: 300);
        Assert.True(spilled > 0);
    }

    [Fact]
    public void What_was_late_when_it_came_is_late_after_a_restart()
    {
        using var run = new PartitionRun(new JoinRules(Fixture.Spec, 1), keepJournal: true);
        run.NowMs += 20_000;
        run.Apply();
        Assert.Equal((0, PartitionRun.StartMs + 18_000), (run.Transactions, run.Partition.State.WatermarkMs));
        var click = Fixture.Action("r1", "a", PartitionRun.StartMs + 6_000);
        run.Show(Fixture.Impression("r1", PartitionRun.StartMs + 5_000, Items));
        run.Click(click);
        run.Apply();
        Assert.Equal(1, run.Counts.Late);
        run.Restart();
        run.Click(click);
        run.Apply();
        Assert.Equal((2, 0), (run.Counts.Late, run.Counts.Duplicates));
    }

    private static ModelSpec SpecOf(bool twoTasks) => twoTasks ? Fixture.TwoTasks : Fixture.Spec;

    private static bool Check(ModelSpec spec, (bool Click, int Request, int Item, bool Twice, int Pause, bool Restart)[] steps, bool keepJournal)
    {
        using var run = new PartitionRun(new JoinRules(spec, 1), keepJournal);
        return Check(spec, steps, run);
    }

    private static bool Check(ModelSpec spec, (bool Click, int Request, int Item, bool Twice, int Pause, bool Restart)[] steps, PartitionRun run, Action<int, PartitionRun>? after = null)
    {
        var rules = new JoinRules(spec, 1);
        var shown = new HashSet<int>();
        var done = new HashSet<string>();
        foreach (var (at, step) in steps.Index())
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
                    run.Show(Fixture.Impression($"r{step.Request}", PartitionRun.StartMs + step.Request, Items));
                    shown.Add(step.Request);
                }
            }

            run.Apply();
            if (step.Restart)
            {
                run.Restart();
            }

            after?.Invoke(at, run);
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
}
