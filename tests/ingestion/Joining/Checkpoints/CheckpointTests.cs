using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Ingestion.Joining;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Tests.Joining.Checkpoints;

public sealed class CheckpointTests
{
    private static readonly string[] Kinds = ["click", "buy", "hide"];
    private static readonly string[] Items = ["a", "b", "c"];

    private enum Then
    {
        Nothing,
        Checkpoint,
        UnfinishedCheckpoint,
        Restart,
    }

    private static readonly Gen<Step[]> Steps = Gen.Select(
        Gen.Bool, Gen.Int[0, 40], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Frequency((2, Gen.Int[0, 300]), (1, Gen.Int[0, 14_000])), Gen.Frequency((3, Gen.Int[0, 300]), (1, Gen.Int[300, 6_000])),
        Gen.Frequency((6, Gen.Const(Then.Nothing)), (3, Gen.Const(Then.Checkpoint)), (1, Gen.Const(Then.UnfinishedCheckpoint)), (2, Gen.Const(Then.Restart))),
        (click, request, item, kind, lateMs, afterMs, then) => new Step(click, request, item, kind, lateMs, afterMs, then)).Array[1, 80];

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    public void A_joiner_that_continues_from_a_checkpoint_writes_and_counts_byte_for_byte_what_an_uninterrupted_one_does(long budgetBytes)
    {
        var (restarts, waiting, labels, spilled, behind) = (0, 0, 0, 0L, 0);
        Steps.Sample(
            steps =>
            {
                using var folder = new TemporaryFolder();
                var rules = new JoinRules(Fixture.TwoTasks, 1);
                using var expected = new PartitionRun(rules, keepJournal: true);
                using var run = new PartitionRun(rules, keepJournal: true, budgetBytes, new CheckpointFiles(folder.Path));
                foreach (var step in steps)
                {
                    var transactions = run.Transactions;
                    Take(expected, step);
                    Take(run, step);
                    switch (step.Then)
                    {
                        // Of a transaction: what the watermark did since is nobody's business.
                        case Then.Checkpoint or Then.UnfinishedCheckpoint when run.Transactions > transactions:
                            run.Checkpoint(publish: step.Then == Then.Checkpoint);
                            break;
                        case Then.Restart when run.CanContinue && run.Transactions > transactions:
                            Interlocked.Add(ref behind, run.Partition.ToReplay > 0 ? 1 : 0);
                            run.RestartFromCheckpoint();
                            Interlocked.Increment(ref restarts);
                            Interlocked.Add(ref waiting, run.Partition.State.Waiting);
                            Interlocked.Add(ref spilled, run.MostSpilledBytes);
                            break;
                    }

                    if (!run.Written.SequenceEqual(expected.Written) || run.Counts != expected.Counts)
                    {
                        return false;
                    }
                }

                Interlocked.Add(ref labels, (int)run.Counts.Positives);
                return (run.Partition.State.PendingItems, run.Partition.State.Requests, run.Partition.State.Waiting, run.Partition.State.WatermarkMs)
                    == (expected.Partition.State.PendingItems, expected.Partition.State.Requests, expected.Partition.State.Waiting, expected.Partition.State.WatermarkMs);
            },
            iter: 500);
        Assert.True(restarts > 500 && waiting > 100 && labels > 500 && spilled > 10_000 && behind > 100, $"{restarts} {waiting} {labels} {spilled} {behind}");
    }

    [Fact]
    public void Any_byte_that_is_flipped_or_missing_in_any_file_is_noticed()
    {
        using var folder = new TemporaryFolder();
        using var run = Filled(folder);
        run.Checkpoint();
        run.Dispose();
        foreach (var path in Directory.GetFiles(folder.Path))
        {
            var bytes = File.ReadAllBytes(path);
            for (var at = 0; at < bytes.Length; at += Math.Max(1, bytes.Length / 400))
            {
                bytes[at] ^= 0x10;
                File.WriteAllBytes(path, bytes);
                Assert.Throws<InvalidDataException>(run.RestartFromCheckpoint);
                bytes[at] ^= 0x10;
                File.WriteAllBytes(path, bytes[..at]);
                Assert.ThrowsAny<Exception>(run.RestartFromCheckpoint);
                run.Dispose();
            }

            File.WriteAllBytes(path, bytes);
            run.RestartFromCheckpoint();
            run.Dispose();
        }

        Assert.True(Directory.GetFiles(folder.Path).Length > 2);
    }

    [Fact]
    public void A_windows_file_stays_until_no_checkpoint_needs_it_and_leftovers_go_at_the_next_start()
    {
        using var folder = new TemporaryFolder();
        using var run = Filled(folder);
        run.Checkpoint();
        var named = Directory.GetFiles(folder.Path, "*.impressions");
        Assert.NotEmpty(named);

        // Everything closes, but the checkpoint may still be continued from.
        run.NowMs += 13_000;
        run.Apply();
        Assert.Equal(0, run.Partition.State.PendingItems);
        Assert.All(named, path => Assert.True(File.Exists(path)));
        File.WriteAllText(System.IO.Path.Combine(folder.Path, "checkpoint.new"), "half");
        File.WriteAllText(System.IO.Path.Combine(folder.Path, "x.impressions"), "nobody's");
        run.RestartFromCheckpoint();
        Assert.Equal([.. named.Append(new CheckpointFiles(folder.Path).Checkpoint).Order()], Directory.GetFiles(folder.Path).Order());

        // The next one does not need them.
        run.Checkpoint();
        Assert.All(named, path => Assert.False(File.Exists(path)));
        run.Partition.Retired();
    }

    [Fact]
    public void What_a_checkpoint_needs_stays_though_it_closes_while_the_checkpoint_is_written()
    {
        using var folder = new TemporaryFolder();
        using var run = Filled(folder);
        run.Checkpoint(meanwhile: () =>
        {
            run.NowMs += 13_000;
            run.Apply();
        });
        run.RestartFromCheckpoint();
        Assert.Equal(0, run.Partition.State.PendingItems);
        Assert.NotEmpty(Directory.GetFiles(folder.Path, "*.impressions"));
    }

    [Fact]
    public void A_checkpoint_is_of_its_transaction_whatever_the_watermark_did_since()
    {
        using var folder = new TemporaryFolder();
        using var run = new PartitionRun(new JoinRules(Fixture.Spec, 1), keepJournal: true, files: new CheckpointFiles(folder.Path));
        run.Show(Fixture.Impression("r0", PartitionRun.StartMs, Items));
        run.Apply();
        run.NowMs = PartitionRun.StartMs + 9_000;
        run.Apply();
        Assert.Equal((1, PartitionRun.StartMs + 7_000), (run.Transactions, run.Partition.State.WatermarkMs));
        run.Checkpoint();

        // Another joiner, whose clock is behind, goes on from there; what it takes is open for it.
        run.Restart();
        run.NowMs = PartitionRun.StartMs + 1_000;
        run.Show(Fixture.Impression("r1", PartitionRun.StartMs - 5_000, Items));
        run.Apply();
        Assert.Equal((2, PartitionRun.StartMs), (run.Transactions, run.Partition.State.WatermarkMs));
        run.RestartFromCheckpoint();
        run.NowMs = PartitionRun.StartMs + 13_000;
        run.Apply();
        Assert.Equal(["r0", "r1"], run.Groups.Select(g => g.RequestId).Order());
    }

    [Fact]
    public void A_checkpoint_that_the_floor_has_passed_is_outdated()
    {
        using var folder = new TemporaryFolder();
        using var run = Filled(folder);
        run.Checkpoint();
        Assert.False(run.Partition.IsOutdated);
        for (var i = 0; i < 5; i++)
        {
            run.NowMs += 13_000;
            run.Show(Fixture.Impression($"later{i}", run.NowMs, Items));
            run.Apply();
        }

        Assert.True(run.Partition.IsOutdated);
        run.Partition.Retired();
        Assert.False(run.Partition.IsOutdated);
    }

    [Fact]
    public void Rules_that_shape_state_have_a_fingerprint_of_their_own()
    {
        var spec = Fixture.TwoTasks;
        ModelSpec[] others =
        [
            Fixture.Spec,
            spec with { Name = "other" },
            spec with { Join = spec.Join with { Window = TimeSpan.FromSeconds(11) } },
            spec with { Join = spec.Join with { AllowedSkew = TimeSpan.FromSeconds(3) } },
            spec with { Join = spec.Join with { Windows = [] } },
            spec with { Tasks = [spec.Tasks[1], spec.Tasks[0]] },
            spec with { Tasks = [spec.Tasks[0], spec.Tasks[1] with { Actions = [spec.Tasks[1].Actions[0] with { AtLeast = 2 }] }] },
        ];
        UInt128[] all = [.. others.Select(s => new JoinRules(s, 1).Fingerprint), new JoinRules(spec, 1).Fingerprint, new JoinRules(spec, 2).Fingerprint];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(new JoinRules(spec, 1).Fingerprint, new JoinRules(spec with { Seed = 9 }, 1).Fingerprint);
    }

    /// <summary>A partition with files of several windows.</summary>
    private static PartitionRun Filled(TemporaryFolder folder)
    {
        var run = new PartitionRun(new JoinRules(Fixture.Spec, 1), keepJournal: true, files: new CheckpointFiles(folder.Path));
        for (var i = 0; i < 40; i++)
        {
            run.NowMs += 25;
            run.Show(Fixture.Impression($"r{i}", run.NowMs, Items));
            run.Click(Fixture.Action($"r{i * 2}", "a", run.NowMs));
            run.Apply();
        }

        return run;
    }

    private static void Take(PartitionRun run, Step step)
    {
        run.NowMs += step.AfterMs;
        if (step.Click)
        {
            run.Click(Fixture.Action($"r{step.Request}", Items[step.Item], run.NowMs - (step.LateMs / 4), Kinds[step.Kind]));
        }
        else
        {
            run.Show(Fixture.Impression($"r{step.Request}", run.NowMs - step.LateMs, Items));
        }

        run.Apply();
    }

    private sealed record Step(bool Click, int Request, int Item, int Kind, int LateMs, int AfterMs, Then Then);
}
