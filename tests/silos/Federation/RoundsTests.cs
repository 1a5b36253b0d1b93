using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Federation;
using Monolith.Silos.Parts;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Federation;

public sealed class RoundsTests
{
    private static readonly ModelSpec Spec = SomeModels.Small;
    private readonly DenseModel _model;
    private readonly Rounds _rounds;

    public RoundsTests()
        : this(Spec)
    {
    }

    private RoundsTests(ModelSpec spec)
    {
        _model = new DenseModel(spec);
        _rounds = new Rounds(_model, PartIdentity.Dense(spec.Name), NullLogger.Instance);
    }

    [Fact]
    public async Task A_lockstep_round_closes_when_everybody_has_reported_and_averages_the_models()
    {
        var start = Value(_rounds.Join("a", RoundMode.Lockstep).Parameters);
        _rounds.Join("b", RoundMode.Lockstep);
        var first = _rounds.Report(Report("a", 0.2f));
        Assert.False(first.IsCompleted);
        var second = _rounds.Report(Report("b", 0.4f));
        var (a, b) = (await first, await second);
        Assert.Equal((PushOutcome.Applied, 1L), (a.Outcome, a.State.Round));
        Assert.Equal(start - 0.3f, Value(a.State.Parameters), 1e-6f);
        Assert.Equal(Value(a.State.Parameters), Value(b.State.Parameters));
        Assert.NotSame(a.State.Parameters, b.State.Parameters); // each disposes its own
    }

    [Fact]
    public async Task A_worker_alone_closes_its_round_at_once()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        var reply = _rounds.Report(Report("a", 0.1f));
        Assert.True(reply.IsCompleted);
        Assert.Equal(1, (await reply).State.Round);
    }

    [Fact]
    public async Task A_late_report_joins_the_next_round()
    {
        _rounds.Join("a", RoundMode.Deadline);
        _rounds.Join("b", RoundMode.Deadline);
        var first = _rounds.Report(Report("a", 0.2f));
        Assert.Equal(1, _rounds.Close());
        Assert.Equal(1, (await first).State.Round);
        var before = _model.Parameters[0];
        var late = _rounds.Report(Report("b", 0.4f, baseRound: 0));
        Assert.False(late.IsCompleted);
        _ = _rounds.Report(Report("a", 0.2f, baseRound: 1));
        Assert.Equal((PushOutcome.Applied, 2L), ((await late).Outcome, (await late).State.Round));
        Assert.Equal(before - 0.3f, _model.Parameters[0], 1e-6f);
    }

    [Fact]
    public async Task A_report_counts_with_its_steps()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var before = _model.Parameters[0];
        _ = _rounds.Report(Report("a", 1.0f, steps: 10));
        await _rounds.Report(Report("b", 0.2f, steps: 2));
        Assert.Equal(before - (((10 * 1.0f) + (2 * 0.2f)) / 12), _model.Parameters[0], 1e-6f);
    }

    [Fact]
    public async Task A_report_without_steps_moves_offsets_and_nothing_else()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        var before = _model.Parameters.ToArray();
        var reply = await _rounds.Report(Report("a", 0, steps: 0, spans: Pushes.Span(0, 7)) with { Difference = Block.Empty });
        Assert.Equal(PushOutcome.Applied, reply.Outcome);
        Assert.Equal(before, _model.Parameters.ToArray());
        Assert.Equal(7, _model.Offsets.Of("examples/0").AppliedThrough);
    }

    [Fact]
    public async Task A_report_whose_spans_do_not_all_continue_the_chain_is_refused_whole()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        var other = Pushes.Span(0, 3, partition: "examples/1");
        await _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(0, 5)]));
        var before = _model.Parameters.ToArray();

        Assert.Equal(PushOutcome.Gap, (await _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(6, 9), other]))).Outcome);
        Assert.Equal(PushOutcome.Gap, (await _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(0, 5), other]))).Outcome);
        Assert.Equal(PushOutcome.AlreadyApplied, (await _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(0, 5)]))).Outcome);
        Assert.Equal(before, _model.Parameters.ToArray());
        Assert.Equal(0, _model.Offsets.Of("examples/1").AppliedThrough);
        Assert.Equal(PushOutcome.Applied, (await _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(5, 9), other]))).Outcome);
    }

    [Fact]
    public async Task A_new_owner_of_a_partition_throws_out_what_the_old_one_reported_and_is_not_yet_in_a_round()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var waiting = _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(0, 5)]));
        Assert.True(_model.Offsets.Claim(new PartitionClaim("examples/0", 2)).Granted);
        _rounds.Fence("examples/0", 2);
        Assert.Equal(PushOutcome.Fenced, (await waiting).Outcome);
        Assert.Equal(0, _model.Offsets.Of("examples/0").AppliedThrough);

        _ = _rounds.Report(Report("b", 0.1f, spans: [Pushes.Span(0, 5, epoch: 2)]));
        Assert.Equal(PushOutcome.Fenced, (await _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(0, 5)]))).Outcome);
    }

    [Fact]
    public async Task A_report_made_again_after_a_timeout_counts_once()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var before = _model.Parameters[0];
        var lost = _rounds.Report(Report("a", 0.2f, spans: [Pushes.Span(0, 5)]));
        var again = _rounds.Report(Report("a", 0.2f, spans: [Pushes.Span(0, 5)]));
        _ = _rounds.Report(Report("b", 0.2f));
        Assert.Equal(PushOutcome.Gap, (await lost).Outcome);
        Assert.Equal(PushOutcome.Applied, (await again).Outcome);
        Assert.Equal(before - 0.2f, _model.Parameters[0], 1e-6f);
    }

    [Fact]
    public async Task Who_leaves_is_no_longer_waited_for()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var waiting = _rounds.Report(Report("a", 0.1f));
        _rounds.Leave("b");
        Assert.Equal(PushOutcome.Applied, (await waiting).Outcome);
        Assert.Equal(["a"], _rounds.Workers);
    }

    [Fact]
    public async Task Who_joins_while_a_round_is_open_is_waited_for_from_the_next_one_on()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var waiting = _rounds.Report(Report("a", 0.1f));
        _rounds.Join("c", RoundMode.Lockstep);
        _ = _rounds.Report(Report("b", 0.1f));
        Assert.Equal(1, (await waiting).State.Round);
        waiting = _rounds.Report(Report("a", 0.1f));
        _ = _rounds.Report(Report("b", 0.1f));
        Assert.False(waiting.IsCompleted);
        _ = _rounds.Report(Report("c", 0.1f));
        Assert.Equal(2, (await waiting).State.Round);
    }

    [Fact]
    public void A_live_worker_that_misses_many_rounds_is_given_up_and_its_next_report_brings_it_back()
    {
        _rounds.Join("a", RoundMode.Deadline);
        _rounds.Join("dead", RoundMode.Deadline);
        for (var i = 0; i < Rounds.MissesMax; i++)
        {
            Assert.Contains("dead", _rounds.Workers);
            _ = _rounds.Report(Report("a", 0.1f));
            _rounds.Close();
        }

        Assert.Equal(["a"], _rounds.Workers);
        _ = _rounds.Report(Report("dead", 0.1f));
        Assert.Equal(["a", "dead"], _rounds.Workers);
    }

    [Fact]
    public async Task A_stop_answers_everybody_that_nothing_was_applied()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var waiting = _rounds.Report(Report("a", 0.1f, spans: [Pushes.Span(0, 5)]));
        _rounds.Stop();
        Assert.Equal(PushOutcome.Gap, (await waiting).Outcome);
        Assert.Equal(0, _model.Offsets.Of("examples/0").AppliedThrough);
    }

    [Fact]
    public async Task A_worker_starts_from_its_own_optimizer_state_or_the_mean_of_the_others()
    {
        Assert.Equal(0, _rounds.Join("a", RoundMode.Lockstep).OptimizerState.Length);
        _rounds.Join("b", RoundMode.Lockstep);
        _ = _rounds.Report(Report("a", 0.1f) with { OptimizerState = Block.Of<float>([1, 2]) });
        await _rounds.Report(Report("b", 0.1f) with { OptimizerState = Block.Of<float>([3, 6]) });
        Assert.Equal([1f, 2f], _rounds.Join("a", RoundMode.Lockstep).OptimizerState.As<float>().ToArray());
        Assert.Equal([2f, 4f], _rounds.Join("new", RoundMode.Lockstep).OptimizerState.As<float>().ToArray());
    }

    [Fact]
    public async Task A_report_of_partial_batches_counts_with_its_examples()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var before = _model.Parameters[0];
        _ = _rounds.Report(Report("a", 1.0f, steps: 4) with { Examples = 4 * 64 });
        await _rounds.Report(Report("b", 0.2f, steps: 4) with { Examples = 4 });
        Assert.Equal(before - (((256 * 1.0f) + (4 * 0.2f)) / 260), _model.Parameters[0], 1e-6f);
    }

    [Fact]
    public async Task When_a_round_cannot_be_closed_everybody_in_it_hears_of_it_and_the_state_is_in_doubt()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _rounds.Join("b", RoundMode.Lockstep);
        var version = _model.Version;
        var waiting = _rounds.Report(Report("a", 0.1f, spans: Pushes.Span(0, 5)));
        Assert.ThrowsAny<Exception>(() => { _ = _rounds.Report(Report("b", 0.1f) with { Difference = Block.Of<float>([1f]) }); });
        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
        Assert.NotEqual(version, _model.Version);
    }

    [Fact]
    public async Task A_new_worker_does_not_start_from_the_state_of_one_that_is_long_gone()
    {
        _rounds.Join("dead", RoundMode.Lockstep);
        await _rounds.Report(Report("dead", 0.1f) with { OptimizerState = Block.Of<float>([100, 100]) });
        _rounds.Leave("dead");
        _rounds.Join("a", RoundMode.Lockstep);
        for (var round = 0; round <= WorkerStates.RoundsMax; round++)
        {
            await _rounds.Report(Report("a", 0.1f) with { OptimizerState = Block.Of<float>([3, 6]) });
        }

        Assert.Equal([3f, 6f], _rounds.Join("new", RoundMode.Lockstep).OptimizerState.As<float>().ToArray());
    }

    [Fact]
    public async Task With_full_rounds_momentum_is_the_papers()
    {
        const float rate = 0.01f;
        const int steps = 4;
        var spec = Spec with
        {
            Federated = new FederatedSpec { Algorithm = FederatedAlgorithm.FedAvgM, Beta = 0.1f, LocalSteps = steps, ServerStep = 0.5f },
            Network = new DeepFmNetwork { Hidden = [8], Optimizer = new DenseSgd { LearningRate = rate } },
        };
        var test = new RoundsTests(spec);
        var start = Value(test._rounds.Join("a", RoundMode.Lockstep).Parameters);
        test._rounds.Join("b", RoundMode.Lockstep);
        _ = test._rounds.Report(Report("a", 0.2f, steps: steps));
        var reply = await test._rounds.Report(Report("b", 0.6f, steps: steps));
        var momentum = (0.2f + 0.6f) / (rate * steps * 2);
        Assert.Equal(momentum, reply.State.Momentum.As<float>()[0], 1e-4f);
        Assert.Equal(start - (0.5f * rate * steps * momentum), Value(reply.State.Parameters), 1e-5f);
    }

    [Fact]
    public void State_and_offsets_survive_save_and_load()
    {
        _rounds.Join("a", RoundMode.Lockstep);
        _ = _rounds.Report(Report("a", 0.3f, spans: [Pushes.Span(0, 5)]) with { OptimizerState = Block.Of<float>([1, 2]) });
        using var copy = _model.BeginCopy(increment: false);
        Assert.True(copy.Step());
        using var stream = new MemoryStream(copy.Finish().SelectMany(b => b.ToArray()).ToArray());
        var restored = new DenseModel(Spec);
        restored.Load(stream, AppliedOffsets.Restore(_model.Offsets.All, _model.Offsets.Stream));
        Assert.Equal(stream.Length, stream.Position);
        Assert.Equal(_model.Parameters.ToArray(), restored.Parameters.ToArray());
        Assert.Equal(1, restored.Round);
        Assert.Equal([1f, 2f], restored.OptimizerStart("a").ToArray());
        Assert.False(restored.HasDelta);
    }

    private static float Value(Block block) => block.As<float>()[0];

    private RoundReport Report(string worker, float difference, int steps = 10, long baseRound = 0, params PartitionSpan[] spans)
    {
        var values = new float[_model.Parameters.Length];
        Array.Fill(values, difference);
        return new RoundReport(worker, baseRound, steps, Block.Of<float>(values), Block.Empty, spans);
    }
}
