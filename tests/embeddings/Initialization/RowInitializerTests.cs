using Monolith.Contracts.Specification;
using Monolith.Embeddings.Initialization;

namespace Monolith.Embeddings.Tests.Initialization;

public sealed class RowInitializerTests
{
    [Fact]
    public void Uniform_values_are_uniform_and_independent_of_each_other()
    {
        var values = Values(new UniformInitializer(-3, 1));
        Assert.All(values, x => Assert.InRange(x, -3f, 0.9999999f));
        Assert.Equal(-1, values.Average(), 0.02);
        Assert.Equal(16.0 / 12, values.Select(x => Math.Pow(x + 1, 2)).Average(), 0.02);
        Assert.Equal(0.25, values.Count(x => x < -2) / (double)values.Length, 0.01);
        Assert.Equal(0, values.Zip(values.Skip(1), (a, b) => (a + 1.0) * (b + 1)).Average(), 0.02);
        Assert.Equal(0, values.Zip(values.Skip(16), (a, b) => (a + 1.0) * (b + 1)).Average(), 0.02);
    }

    /// <summary>Between neighbouring floats, low + range·u rounds to high half of the time.</summary>
    [Fact]
    public void The_upper_bound_of_uniform_values_stays_out_however_near() =>
        Assert.All(Values(new UniformInitializer(1000, MathF.BitIncrement(1000))), x => Assert.Equal(1000f, x));

    [Fact]
    public void Truncated_normal_values_are_normal_within_two_deviations()
    {
        var values = Values(new TruncatedNormalInitializer(5, 0.5f));
        Assert.All(values, x => Assert.InRange(x, 4f, 6f));
        Assert.Equal(5, values.Average(), 0.01);
        // Cut at two deviations, the variance is 0.7737 of the whole's.
        Assert.Equal(0.7737 * 0.25, values.Select(x => Math.Pow(x - 5, 2)).Average(), 0.003);
        Assert.Equal(0.5, values.Count(x => x < 5) / (double)values.Length, 0.01);
        Assert.Equal((0.8413447 - 0.0227501) / 0.9544997, values.Count(x => x < 5.5) / (double)values.Length, 0.01);
    }

    [Fact]
    public void Quantiles_are_those_of_the_normal_distribution()
    {
        Assert.Equal(-2, TruncatedNormal.Quantile(0), 8);
        Assert.Equal(0, TruncatedNormal.Quantile(0.5), 8);
        Assert.Equal(1, TruncatedNormal.Quantile((0.8413447460685429 - 0.022750131948179195) / 0.9544997361036416), 7);
    }

    [Fact]
    public void Every_segment_starts_as_it_says_and_no_two_alike()
    {
        var table = Specs.Table(
            Specs.Segment(2, new SgdOptimizer(), new UniformInitializer(0, 1)), Specs.Segment(1, new SgdOptimizer()),
            Specs.Segment(2, new SgdOptimizer(), new ConstantInitializer(1)), Specs.Segment(2, new SgdOptimizer(), new UniformInitializer(0, 1)));
        var values = new float[7];
        new RowInitializer(table, 1).Write(9, values);
        Assert.Equal([0f, 1f, 1f], values[2..5]);
        Assert.Equal(4, values.Take(2).Concat(values.Skip(5)).Distinct().Count());
    }

    [Fact]
    public void Values_never_change_from_one_release_to_the_next()
    {
        var values = new float[2];
        new RowInitializer(Specs.Table(Specs.Segment(2, new SgdOptimizer(), new UniformInitializer(0, 1))), 1).Write(42, values);
        Assert.Equal(Golden, values);
    }

    private static readonly float[] Golden = [0.431406856f, 0.70167774f];

    private static float[] Values(InitializerSpec initializer)
    {
        var rows = new RowInitializer(Specs.Table(Specs.Segment(16, new SgdOptimizer(), initializer)), 7);
        var all = new float[16 * 5000];
        for (var id = 0; id < 5000; id++)
        {
            rows.Write((ulong)id, all.AsSpan(id * 16, 16));
        }

        return all;
    }
}
