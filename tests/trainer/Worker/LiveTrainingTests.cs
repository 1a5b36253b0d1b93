using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Tests.Model;
using Monolith.Trainer.Tests.Support;

namespace Monolith.Trainer.Tests.Worker;

public sealed class LiveTrainingTests
{
    private static readonly ModelSpec Spec = SomeModel.Spec() with
    {
        Training = new TrainingSpec { MicroBatch = 64, PartialAfter = TimeSpan.FromMilliseconds(10) },
        Federated = new FederatedSpec { LocalSteps = 3, RoundDeadline = TimeSpan.FromMilliseconds(20) },
    };

    private readonly MemorySource _source = new(1, isHistory: false);
    private readonly FakeModel _model = new(Spec, 1);
    private readonly Random _random = new(5);
    private float _served;

    [Fact]
    public async Task A_partial_micro_batch_reaches_every_part_without_more_examples_coming()
    {
        await using var trainer = new LiveTrainer(Spec, _model, _source);
        Append(examples: 2);
        await Eventually.Holds(() => AllAt(1), "every part has the example");
        Assert.Equal(2, _model.Metrics.Examples.Count);
        Assert.Equal(2, trainer.Trainer.Status.Examples);
        Assert.Null(trainer.Trainer.Status.LastError);
    }

    [Fact]
    public async Task An_idle_partition_moves_every_parts_watermark_on_with_the_clock()
    {
        await using var trainer = new LiveTrainer(Spec, _model, _source);
        Append(examples: 1, emittedMs: 1000);
        var start = DateTimeOffset.UnixEpoch.AddMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        await Eventually.Holds(
            () => Offsets().All(o => o.WatermarkMs > start.ToUnixTimeMilliseconds()), "every watermark is past the start of the test");
        Assert.All(Offsets(), o => Assert.Equal(1, o.AppliedThrough));
        Assert.True(trainer.Trainer.Status.Workers[0].IsCaughtUp);
    }

    [Fact]
    public async Task Every_part_passes_offsets_at_the_end_that_are_no_records_and_then_learns_what_comes()
    {
        await using var trainer = new LiveTrainer(Spec, _model, _source);
        for (var i = 1; i <= 5; i++)
        {
            Append(examples: 1);
            _source.AppendHole(0, 2);
            await Eventually.Holds(() => AllAt(3 * i), "every part is at the end");
        }

        Assert.Equal([0f, 1f, 2f, 3f, 4f], _model.Metrics.Examples.Keys.Order());
        Assert.All(_model.Metrics.Examples.Values, n => Assert.Equal(1, n));
        Assert.Equal(5, _model.Federation.Reports.Sum(r => r.Steps));
        Assert.Equal(0, trainer.Trainer.Status.Failures);
    }

    [Fact]
    public async Task A_canary_reaches_every_shard_and_counts_in_no_metric()
    {
        await using var trainer = new LiveTrainer(Spec, _model, _source);
        _source.Append(0, new ExampleGroup { CanarySentMs = 1_700_000_000_123, EmittedTimeMs = 5 });
        await Eventually.Holds(() => _model.Shards.All(s => s.CanaryMs == 1_700_000_000_123), "every shard has the canary");
        Append(examples: 1);
        _source.Append(0, new ExampleGroup { CanarySentMs = 1_700_000_000_456, EmittedTimeMs = 6 });
        await Eventually.Holds(() => _model.Shards.All(s => s.CanaryMs == 1_700_000_000_456), "every shard has the next canary");
        await Eventually.Holds(() => AllAt(3), "every part is past them");
        Assert.Single(_model.Metrics.Examples);
    }

    [Fact]
    public async Task A_clean_stop_delivers_the_last_round_and_the_last_offsets_and_leaves()
    {
        await using var trainer = new LiveTrainer(
            Spec with { Federated = new FederatedSpec { LocalSteps = 1000, RoundDeadline = TimeSpan.FromHours(1) } }, _model, _source,
            LiveTrainer.Options(1) with { Heartbeat = TimeSpan.FromHours(1) });
        for (var i = 0; i < 5; i++)
        {
            Append(examples: 1);
        }

        await Eventually.Holds(() => _model.Metrics.Examples.Count == 5, "all was scored");
        await trainer.Stop();
        Assert.True(AllAt(5));
        Assert.Equal(1, _model.Federation.Model.Round);
        Assert.Equal(["worker-0"], _model.Federation.Left);
    }

    [Fact]
    public async Task An_example_with_a_bad_value_is_left_out_and_the_rest_of_its_group_is_learned()
    {
        var sink = new Sink();
        await using var trainer = new LiveTrainer(Spec, _model, _source, sink: sink);
        var group = Group(examples: 3);
        group.Examples[1].Features["n0"] = new FeatureValue { Text = "many" };
        _source.Append(0, group);
        await Eventually.Holds(() => AllAt(1), "every part is past the group");
        Assert.Equal([0f, 2f], _model.Metrics.Examples.Keys.Order());
        Assert.Equal(1, trainer.Trainer.Status.RefusedExamples);
        Assert.Equal([false, true, false], sink.Scores.Single().Select(float.IsNaN));
    }

    [Fact]
    public async Task Numbers_that_would_overflow_the_network_are_bounded_and_poison_nothing()
    {
        await using var trainer = new LiveTrainer(Spec with { Training = new TrainingSpec { MicroBatch = 1 } }, _model, _source);
        var group = Group(examples: 2);
        foreach (var (label, example) in group.Examples.Index())
        {
            // One of the two is wrong by as much as a float can be.
            example.Features["n0"] = new FeatureValue { Number = 3e38 };
            example.Labels[0] = new Label { Present = true, Value = label };
        }

        _source.Append(0, group);
        Append(examples: 1);
        await Eventually.Holds(() => AllAt(2), "every part is past both");
        Assert.Equal([0f, 1f, 2f], _model.Metrics.Examples.Keys.Order());
        Assert.Equal(0, trainer.Trainer.Status.RefusedExamples);
        Assert.All(_model.Federation.Model.Parameters.ToArray(), p => Assert.True(float.IsFinite(p)));
        Assert.All(_model.Shards.SelectMany(s => s.Gradients.Values).SelectMany(g => g), g => Assert.True(float.IsFinite(g)));
    }

    [Fact]
    public async Task What_the_log_no_longer_keeps_is_passed_over()
    {
        for (var i = 0; i < 6; i++)
        {
            Append(examples: 1);
        }

        _source.Begin = 4;
        await using var trainer = new LiveTrainer(Spec, _model, _source);
        await Eventually.Holds(() => AllAt(6), "every part is at the end");
        Assert.Equal([4f, 5f], _model.Metrics.Examples.Keys.Order());
    }

    [Fact]
    public async Task Learning_goes_on_while_a_round_is_open_and_its_steps_go_into_the_next()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _model.Federation.Open = open.Task;
        for (var i = 0; i < 30; i++)
        {
            Append(examples: 1);
        }

        // All is there before it starts and no deadline passes: neither an idle report nor a slow machine makes a round of fewer steps.
        var steps = new FederatedSpec { LocalSteps = 3, RoundDeadline = TimeSpan.FromHours(1) };
        await using var trainer = new LiveTrainer(Spec with { Training = new TrainingSpec { MicroBatch = 1 }, Federated = steps }, _model, _source);
        await Eventually.Holds(() => _model.Metrics.Examples.Count == 30, "all is learned while the first round is open");
        Assert.Equal(0, _model.Federation.Model.Round);
        open.SetResult();
        await Eventually.Holds(() => AllAt(30), "all of it is in rounds");
        var reports = _model.Federation.Reports.Where(r => r.Steps > 0).ToArray();
        Assert.Equal(30, reports.Sum(r => r.Steps));
        Assert.Equal(3, reports[0].Steps);
        Assert.Equal(27, reports[1].Steps);
    }

    [Fact]
    public async Task A_source_that_fails_for_a_while_is_read_again()
    {
        await using var trainer = new LiveTrainer(Spec, _model, _source);
        Append(examples: 1);
        await Eventually.Holds(() => AllAt(1), "the first is learned");
        _source.Failure = new IOException("the log is away");
        await Eventually.Holds(() => trainer.Trainer.Status.Failures == 1, "the failure was met");
        Append(examples: 1);
        await Eventually.Holds(() => AllAt(2), "the second is learned");
        Assert.All(_model.Metrics.Examples.Values, n => Assert.Equal(1, n));
        Assert.Null(trainer.Trainer.Status.LastError);
    }

    [Fact]
    public async Task A_worker_that_is_taken_over_from_takes_its_partition_back_once_the_other_is_gone()
    {
        await using var first = new LiveTrainer(Spec, _model, _source);
        Append(examples: 1);
        await Eventually.Holds(() => AllAt(1), "the first worker has it");
        var other = LiveTrainer.Options(1) with { Name = "other", RetakeWait = TimeSpan.FromHours(1) };
        var second = new LiveTrainer(Spec, _model, _source, other);
        await Eventually.Holds(
            () => first.Trainer.Status.LastError?.Contains("taken over", StringComparison.Ordinal) == true, "the first gave it up");
        Append(examples: 1);
        await Eventually.Holds(() => AllAt(2), "the second worker has the next");
        await second.DisposeAsync();
        Append(examples: 1);
        await Eventually.Holds(() => AllAt(3), "the first worker learns again");
        Assert.False(first.Run.IsCompleted);
        Assert.All(_model.Metrics.Examples.Values, n => Assert.Equal(1, n));
    }

    [Fact]
    public async Task A_part_that_is_away_for_long_holds_nothing_back_for_good()
    {
        _model.Chaos.Rate = 1;
        await using var trainer = new LiveTrainer(Spec, _model, _source);
        Append(examples: 2);
        await Eventually.Holds(() => trainer.Trainer.Status.Failures >= 10, "it was tried often");
        Assert.NotNull(trainer.Trainer.Status.LastError);
        _model.Chaos.Rate = 0;
        await Eventually.Holds(() => AllAt(1), "it went on");
        Assert.All(_model.Metrics.Examples.Values, n => Assert.Equal(1, n));
    }

    private void Append(int examples, long emittedMs = 1000)
    {
        var group = Group(examples);
        group.EmittedTimeMs = emittedMs;
        _source.Append(0, group);
    }

    private ExampleGroup Group(int examples)
    {
        var group = SomeModel.Group(Spec, _random, examples);
        foreach (var example in group.Examples)
        {
            example.ServedScore = _served++;
        }

        return group;
    }

    private IEnumerable<(long AppliedThrough, long WatermarkMs)> Offsets() =>
        _model.Shards.Select(s => s.Offsets).Append(_model.Metrics.Offsets).Append(_model.Federation.Model.Offsets)
            .Select(o => (o.Of("examples/0").AppliedThrough, o.WatermarkMs));

    private bool AllAt(long offset) => Offsets().All(o => o.AppliedThrough == offset);

    private sealed class Sink : IScoreSink
    {
        public List<float[]> Scores { get; } = [];

        public void Scored(int partition, in ExampleRecord record, ReadOnlySpan<float> scores) => Scores.Add(scores.ToArray());
    }
}
