using CsCheck;
using Monolith.Standalone.Reports;

namespace Monolith.Integration.Tests.Reports;

public sealed class QualityAccumulatorTests
{
    [Fact]
    public void The_area_under_the_curve_is_the_share_of_pairs_in_order_with_ties_halved() =>
        Gen.Select(Gen.Int[0, 6], Gen.Bool).List[2, 40].Sample(list =>
        {
            var pairs =
                from p in list.Where(e => e.Item2)
                from n in list.Where(e => !e.Item2)
                select p.Item1 > n.Item1 ? 1.0 : p.Item1 == n.Item1 ? 0.5 : 0.0;
            var expected = pairs.Any() ? pairs.Average() : (double?)null;
            var figures = QualityFigures.Of(list.Select(e => (e.Item1 / 10f, e.Item2 ? 1f : 0f)));
            Assert.Equal(expected.HasValue, figures.Auc.HasValue);
            Assert.Equal(expected ?? 0, figures.Auc ?? 0, 12);
        });

    [Fact]
    public void Perfect_calibration_and_the_entropy_of_the_base_rate_give_one()
    {
        var figures = QualityFigures.Of([(0.25f, 1f), (0.25f, 0f), (0.25f, 0f), (0.25f, 0f)]);
        Assert.Equal(1, figures.Calibration!.Value, 6);
        Assert.Equal(1, figures.NormalizedEntropy!.Value, 6);
    }

    [Fact]
    public void Beyond_its_exact_size_the_area_is_within_the_error_it_states() =>
        Gen.Select(Gen.Float[0, 1], Gen.Bool).Array[20, 300].Sample(examples =>
        {
            var (exact, histogram) = (new QualityAccumulator(), new QualityAccumulator(exactMax: 10));
            foreach (var (score, isPositive) in examples)
            {
                // Scores that are close to each other share a bin.
                var near = 0.1f + (score * 1e-4f);
                exact.Add(near, isPositive);
                histogram.Add(near, isPositive);
            }

            var (e, h) = (exact.Figures(), histogram.Figures());
            Assert.Equal(0, e.AucErrorMax);
            Assert.Equal(e with { Auc = h.Auc, AucErrorMax = h.AucErrorMax }, h);
            Assert.True(Math.Abs((e.Auc ?? 0) - (h.Auc ?? 0)) <= h.AucErrorMax + 1e-12);
        }, iter: 30);

    [Fact]
    public void Scores_of_zero_and_one_are_counted()
    {
        var figures = QualityFigures.Of([(0f, 0f), (1f, 1f), (1f, 0f), (0f, 1f)]);
        Assert.Equal(0.5, figures.Auc);
        Assert.Equal(-Math.Log(1e-7) / 2, figures.Logloss!.Value, 6);
    }

    [Fact]
    public void Without_one_of_the_classes_there_is_no_area()
    {
        Assert.Null(QualityFigures.Of([(0.5f, 1f)]).Auc);
        Assert.Null(QualityFigures.Of([]).Logloss);
    }
}
