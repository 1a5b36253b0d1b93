using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Metrics;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Metrics;

public sealed class MetricsStateTests
{
    private const int Examples = 20_000;
    private const float Rate = 0.25f;

    [Fact]
    public void Figures_of_a_stream_with_a_share_of_its_negatives_are_those_of_the_whole_stream()
    {
        var whole = Report(_ => true, 1);
        var random = new Random(5);
        var sampled = Report(positive => positive || random.NextDouble() < Rate, Rate);
        Assert.Equal(whole.Progressive.Positives, sampled.Progressive.Positives);
        Assert.InRange(sampled.Progressive.Examples, 0.25 * Examples, 0.45 * Examples);
        foreach (var (all, some) in new[]
                 {
                     (whole.Progressive, sampled.Progressive), (whole.Served!, sampled.Served!), (whole.Baseline!, sampled.Baseline!),
                 })
        {
            Assert.InRange(some.Calibration / all.Calibration, 0.97, 1.03);
            Assert.InRange(some.LogLoss / all.LogLoss, 0.97, 1.03);
            Assert.InRange(some.Auc - all.Auc, -0.01, 0.01);
        }
    }

    [Fact]
    public void Each_task_has_weights_of_its_own()
    {
        var spec = SomeModels.Small with
        {
            Tasks = [new TaskSpec { Name = "click", Label = "click" }, new TaskSpec { Name = "buy", Label = "buy" }],
            Training = new TrainingSpec(),
        };
        var state = new MetricsState(spec);
        state.Offsets.Claim(new PartitionClaim("examples/0", 1));
        var push = new MetricsPush(
            Pushes.Span(0, 1), [2], Block.Of<float>([0.5f, 0.5f, 0.5f, 0.5f]), Block.Of<float>([1, 1, 0, 0]),
            Block.Of<float>([0.5f, 1, 0.5f, 1]), Block.Of<float>([1, 3, 1, 1]), Block.Of<float>([float.NaN, float.NaN]), Block.Empty);
        state.Check(push);
        state.Push(push);

        // One positive of weight 1 and a negative that stands for two; one positive of weight 3 and one negative.
        Assert.Equal((3 * 0.5) / 1, state.Report().Tasks[0].Progressive.Calibration, 9);
        Assert.Equal((4 * 0.5) / 3, state.Report().Tasks[1].Progressive.Calibration, 9);
    }

    [Theory]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.MaxValue)]
    [InlineData(-0.1f)]
    [InlineData(1.001f)]
    public void A_served_score_that_is_no_probability_counts_as_unknown(float score)
    {
        var state = new MetricsState(SomeModels.Small);
        state.Offsets.Claim(new PartitionClaim("examples/0", 1));
        var push = new MetricsPush(
            Pushes.Span(0, 1), [3], Block.Of<float>([0.5f, 0.5f, 0.5f]), Block.Of<float>([1, 0, 1]), Block.Of<float>([1, 1, 1]),
            Block.Of<float>([1, 1, 1]), Block.Of<float>([0.5f, 0.25f, score]), Block.Of<ulong>([1, 2, 3]));
        state.Check(push);
        state.Push(push);
        var report = state.Report().Tasks[0];
        Assert.Equal(3, report.Progressive.Examples);
        Assert.Equal(2, report.Served!.Examples);
        Assert.Equal(0.75, report.Served.Calibration, 6);
    }

    private static TaskQuality Report(Func<bool, bool> keeps, float rate)
    {
        var state = new MetricsState(SomeModels.Small);
        state.Offsets.Claim(new PartitionClaim("examples/0", 1));
        var random = new Random(7);
        for (var offset = 0; offset < Examples; offset++)
        {
            var item = (ulong)random.Next(20);
            var odds = 0.02f + (item * 0.01f);
            var positive = random.NextDouble() < odds;
            var noise = 0.8f + (0.4f * (float)random.NextDouble());
            var push = keeps(positive)
                ? new MetricsPush(
                    Pushes.Span(offset, offset + 1), [1], Block.Of<float>([odds * noise]), Block.Of<float>([positive ? 1f : 0f]),
                    Block.Of<float>([rate]), Block.Of<float>([1f]), Block.Of<float>([odds]), Block.Of<ulong>([item]))
                : new MetricsPush(Pushes.Span(offset, offset + 1), [], Block.Empty, Block.Empty, Block.Empty, Block.Empty, Block.Empty, Block.Empty);
            state.Check(push);
            Assert.Equal(PushOutcome.Applied, state.Push(push).Outcome);
        }

        return state.Report().Tasks[0];
    }
}
