using System.Collections.Concurrent;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Batches;

namespace Monolith.Trainer.Tests.Batches;

public sealed class NumberScalesTests
{
    private readonly List<string> _warnings = [];
    private readonly ConcurrentDictionary<string, bool> _reported = new();

    [Fact]
    public void A_number_without_scale_is_named_with_its_values_and_a_transform_that_cures_it()
    {
        See(Scales(), 200, i => i * 37 % 2000);
        var warning = Assert.Single(_warnings, w => w.Contains("standardize"));
        Assert.Contains("'price'", warning);
        Assert.Contains("from 0 to 1998", warning);
        Assert.Matches(@"standardize, mean: \d{3,4}, deviation: \d{3}(\.\d)? ", warning.Replace(" }", " ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_time_in_milliseconds_gets_constants_that_are_exact_enough()
    {
        See(Scales(), 100, i => 1_700_000_000_000 + (i * 1000));
        Assert.Contains("mean: 1700000049500, deviation: 28866 }", Assert.Single(_warnings, w => w.Contains("standardize")));
    }

    [Fact]
    public void Numbers_of_which_a_few_are_large_get_a_logarithm_and_tiny_ones_a_deviation()
    {
        See(Scales(), 1000, i => i % 60 == 0 ? 20_000 : i % 25);
        Assert.Contains("add to its transforms { kind: log }", Assert.Single(_warnings, w => w.Contains("add to")));
        _warnings.Clear();
        _reported.Clear();
        See(Scales(), 1000, i => i % 10 * 1e-4);
        Assert.Contains("no effect", Assert.Single(_warnings));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(9)]
    public void Numbers_of_a_good_scale_and_a_few_outliers_are_not_reported_as_without_scale(int spread)
    {
        See(Scales(), 10_000, i => i % 50 == 7 ? 50 : (i * 37 % 2000 / 1000.0 * spread) - spread);
        See(Scales(), 10_000, i => i % 50 == 7 ? 1 : 0);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Each_feature_is_reported_once_whichever_worker_sees_it_and_bounded_numbers_are_counted()
    {
        See(Scales(), 10_000, i => i % 100 == 0 ? 1e30 : 0.5);
        Assert.Equal(3, _warnings.Count); // the 1st, the 10th and the 100th
        Assert.Contains("1E+30", _warnings[0]);
        Assert.Contains("100 such numbers", _warnings[2]);
        _warnings.Clear();
        See(Scales(), 10_000, i => 30);
        See(Scales(), 10_000, i => 30);
        Assert.Single(_warnings);
    }

    private NumberScales Scales() => new([new NumericFeature { Name = "price", Source = "price" }], _reported, _warnings.Add);

    private static void See(NumberScales scales, int count, Func<int, double> number)
    {
        for (var i = 0; i < count; i++)
        {
            scales.Add(0, number(i));
            if (i % 64 == 63 || i == count - 1)
            {
                scales.Check();
            }
        }
    }
}
