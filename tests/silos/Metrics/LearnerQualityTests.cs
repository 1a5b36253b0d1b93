using CsCheck;
using Monolith.Silos.Metrics;

namespace Monolith.Silos.Tests.Metrics;

public sealed class LearnerQualityTests
{
    private static readonly Gen<ScoredExample[]> Examples =
        Gen.Select(Gen.Float[0.001f, 0.999f], Gen.Bool, Gen.Int[1, 3])
            .Select((score, positive, weight) => new ScoredExample(score, positive ? 1 : 0, weight))
            .Array[2, 200].Where(a => a.Select(e => e.IsPositive).Distinct().Count() == 2);

    [Fact]
    public void The_histogram_differs_from_the_exact_area_by_no_more_than_it_says() =>
        Examples.Sample(examples =>
        {
            var histogram = new ScoreHistogram();
            foreach (var e in examples)
            {
                histogram.Add(e.Score, e.IsPositive, e.Weight);
            }

            Assert.InRange(Math.Abs(histogram.Auc() - Exact(examples)), 0, histogram.AucError() + 1e-12);
        });

    [Fact]
    public void Total_and_window_agree_while_the_window_holds_everything_and_the_window_is_exact() =>
        Examples.Sample(examples =>
        {
            var quality = Of(examples);
            var (total, window) = (quality.Total(), quality.Window());
            Assert.Equal(Exact(examples), window.Auc, 9);
            Assert.Equal(total with { Auc = 0 }, window with { Auc = 0 });
            Assert.Equal(examples.Length, total.Examples);
            Assert.Equal(
                examples.Sum(e => e.Weight * e.LogLoss) / examples.Sum(e => e.Weight), total.LogLoss, 9);
        });

    [Fact]
    public void The_window_forgets_what_is_older()
    {
        var quality = new LearnerQuality();
        for (var i = 0; i < LearnerQuality.WindowExamples; i++)
        {
            quality.Add(new ScoredExample(0.9f, 0, 1));
        }

        for (var i = 0; i < LearnerQuality.WindowExamples; i++)
        {
            quality.Add(new ScoredExample(i % 2 == 0 ? 0.9f : 0.1f, i % 2 == 0 ? 1 : 0, 1));
        }

        Assert.Equal(1, quality.Window().Auc);
        Assert.True(quality.Total().Auc < 0.8);
    }

    [Fact]
    public void What_was_saved_is_restored() =>
        Examples.Sample(examples =>
        {
            var quality = Of(examples);
            using var stream = new MemoryStream();
            using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true))
            {
                quality.Save(writer);
            }

            stream.Position = 0;
            var restored = new LearnerQuality();
            restored.Load(new BinaryReader(stream));
            Assert.Equal(quality.Total(), restored.Total());
            Assert.Equal(quality.Window(), restored.Window());
            Assert.Equal(stream.Length, stream.Position);
        });

    [Fact]
    public void Negatives_kept_at_a_rate_stand_for_all_of_them()
    {
        var all = new LearnerQuality();
        var sampled = new LearnerQuality();
        for (var i = 0; i < 4000; i++)
        {
            var example = new ScoredExample(0.1f + (i % 7 / 20f), i % 10 == 0 ? 1 : 0, 1);
            all.Add(example);
            if (example.IsPositive || i / 10 % 4 == 0)
            {
                sampled.Add(example with { Weight = example.IsPositive ? 1 : 4 });
            }
        }

        Assert.Equal(all.Total().Calibration, sampled.Total().Calibration, 0.03);
        Assert.Equal(all.Total().Auc, sampled.Total().Auc, 0.03);
    }

    [Fact]
    public void The_baseline_starts_at_the_base_rate_and_moves_with_twenty_views_of_inertia()
    {
        var rates = new BaselineRates(0.1);
        Assert.Equal(0.1f, rates.Score(7));
        rates.Learn(7, positive: true, 1);
        Assert.Equal((1 + 2) / 21f, rates.Score(7), 6);
        Assert.Equal(0.1f, rates.Score(8));
    }

    private static LearnerQuality Of(ScoredExample[] examples)
    {
        var quality = new LearnerQuality();
        foreach (var e in examples)
        {
            quality.Add(e);
        }

        return quality;
    }

    private static double Exact(ScoredExample[] examples)
    {
        double area = 0, pairs = 0;
        foreach (var p in examples.Where(e => e.IsPositive))
        {
            foreach (var n in examples.Where(e => !e.IsPositive))
            {
                pairs += p.Weight * n.Weight;
                area += p.Weight * n.Weight * (p.Score > n.Score ? 1 : p.Score == n.Score ? 0.5 : 0);
            }
        }

        return area / pairs;
    }
}
