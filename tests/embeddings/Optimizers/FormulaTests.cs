using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests.Optimizers;

/// <summary>What the published vectors leave out, against formulas written out in double precision.</summary>
public sealed class FormulaTests
{
    private static readonly double[][] Gradients = [[0.5, -1, 2], [1, 0.25, -0.5], [-2, 0, 1]];

    [Fact]
    public void Row_wise_Adagrad_has_one_accumulator_a_row()
    {
        var n = 0.1;
        Follow(new RowWiseAdagradOptimizer { LearningRate = 0.1f }, (w, g) =>
        {
            n += g.Sum(x => x * x) / 3;
            return [.. w.Zip(g, (a, b) => a - (0.1 * b / Math.Sqrt(n)))];
        });
    }

    [Fact]
    public void Group_FTRL_moves_or_clears_a_row_as_a_whole()
    {
        double[] n = [0.1, 0.1, 0.1], z = [0, 0, 0];
        var optimizer = new GroupFtrlOptimizer { LearningRate = 0.1f, L1 = 8.2f, L2 = 0.2f, Beta = 1 };
        var cleared = 0;
        Follow(optimizer, (w, g) =>
        {
            for (var i = 0; i < 3; i++)
            {
                var grown = n[i] + (g[i] * g[i]);
                z[i] += g[i] - ((Math.Sqrt(grown) - Math.Sqrt(n[i])) / 0.1 * w[i]);
                n[i] = grown;
            }

            var norm = Math.Sqrt(z.Sum(x => x * x));
            cleared += norm <= 8.2f ? 1 : 0;
            return norm <= 8.2f ? [0, 0, 0] : [.. z.Select((x, i) => -0.1 * (1 - (8.2f / norm)) * x / (Math.Sqrt(n[i]) + 1 + 0.02))];
        });
        Assert.InRange(cleared, 1, 2);
    }

    [Fact]
    public void Adagrad_with_decoupled_decay_decays_beside_the_step()
    {
        double[] n = [0.1, 0.1, 0.1];
        Follow(new AdagradOptimizer { LearningRate = 0.1f, DecoupledDecay = 0.5f }, (w, g) =>
        {
            n = [.. n.Zip(g, (a, b) => a + (b * b))];
            return [.. w.Select((x, i) => x - (0.1 * ((g[i] / Math.Sqrt(n[i])) + (0.5 * x))))];
        });
    }

    [Fact]
    public void Nesterov_momentum_looks_ahead()
    {
        double[] n = [0, 0, 0];
        Follow(new MomentumOptimizer { LearningRate = 0.1f, Nesterov = true }, (w, g) =>
        {
            var old = n;
            n = [.. old.Zip(g, (a, b) => (0.9 * a) - (0.1 * b))];
            return [.. w.Select((x, i) => x - (0.9 * old[i]) + (1.9 * n[i]))];
        });
    }

    [Fact]
    public void FTRL_with_L1_is_zero_until_the_gradients_sum_past_it()
    {
        var optimizer = new FtrlOptimizer { LearningRate = 0.1f, L1 = 2, Beta = 1 };
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(1, optimizer)), seed: 1);
        table.Push(1, [1.5f]);
        Assert.Equal(0, table.Read(1)[0]);
        table.Push(1, [1.5f]);
        // z = 3, above l1: w = lr·(l1 − z)/(√n + β) is negative, against the gradient.
        Assert.Equal(-0.1 * 1 / (Math.Sqrt(4.6) + 1), table.Read(1)[0], 6);
    }

    /// <summary>As it is usually written, with z for the sum of gradients: the same weights while the rate stays.</summary>
    [Fact]
    public void FTRL_takes_the_usual_steps_with_all_its_parameters()
    {
        double[] n = [0.1, 0.1, 0.1], z = [0, 0, 0];
        Follow(new FtrlOptimizer { LearningRate = 0.1f, L1 = 0.7f, L2 = 5, Beta = 1 }, (w, g) =>
        {
            for (var i = 0; i < 3; i++)
            {
                var grown = n[i] + (g[i] * g[i]);
                z[i] += g[i] - ((Math.Sqrt(grown) - Math.Sqrt(n[i])) / 0.1 * w[i]);
                n[i] = grown;
            }

            return [.. z.Select((x, i) => Math.Abs(x) <= 0.7f ? 0 : 0.1 * ((Math.Sign(x) * 0.7f) - x) / (Math.Sqrt(n[i]) + 1 + 0.5))];
        });
    }

    [Fact]
    public void Weight_decay_is_part_of_the_gradient()
    {
        double[] n = [0.1, 0.1, 0.1];
        Follow(new AdagradOptimizer { LearningRate = 0.1f, WeightDecay = 0.5f }, (w, g) =>
        {
            var decayed = g.Select((x, i) => x + (0.5 * w[i])).ToArray();
            n = [.. n.Zip(decayed, (a, b) => a + (b * b))];
            return [.. w.Select((x, i) => x - (0.1 * decayed[i] / Math.Sqrt(n[i])))];
        });
    }

    [Fact]
    public void Batch_softmax_estimates_the_steps_between_occurrences()
    {
        var spec = Specs.Table(Specs.Segment(1, new BatchSoftmaxOptimizer { LearningRate = 0.1f }));
        using var table = new EmbeddingTable(spec, seed: 1);
        for (var step = 1; step <= 400; step++)
        {
            table.Push(step % 4 == 0 ? 1UL : 2UL, [0]);
        }

        Assert.Equal(4, table.Read(1)[0], 0.01f);
        Assert.InRange(table.Read(2)[0], 1, 2);
    }

    public static TheoryData<LearningRateSchedule, double[]> Schedules => new()
    {
        { new ConstantRate(), [1, 1, 1, 1] },
        { new LinearWarmUp(3), [1 / 3.0, 2 / 3.0, 1, 1] },
        { new PolynomialDecay(2, 0.5f, 2), [0.625, 0.5, 0.5, 0.5] },
        { new ExponentialDecay(2, 0.25f), [0.5, 0.25, 0.125, 0.0625] },
        { new CosineDecay(4, 0.5f), [0.9267767, 0.75, 0.5732233, 0.5] },
    };

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Learning_rates_follow_their_schedule(LearningRateSchedule schedule, double[] shares)
    {
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(1, new SgdOptimizer { LearningRate = 2, Schedule = schedule })), seed: 1);
        var expected = 0.0;
        foreach (var share in shares)
        {
            table.Push(1, [1]);
            expected -= 2 * share;
            Assert.Equal(expected, table.Read(1)[0], 5);
        }
    }

    /// <summary>All optimizers that heed their learning rate; momentum coasts on.</summary>
    public static TheoryData<SparseOptimizerSpec> Rated =>
        [.. LaneTwinsTests.EveryOptimizer.Where(o => o is not MomentumOptimizer and not MovingAverageOptimizer)];

    [Theory]
    [MemberData(nameof(Rated))]
    public void Rows_stay_as_they_are_once_the_rate_has_fallen_to_zero(SparseOptimizerSpec optimizer)
    {
        var segment = Specs.Segment(optimizer is BatchSoftmaxOptimizer ? 1 : 19, optimizer with { LearningRate = 0.5f, Schedule = new CosineDecay(40) });
        using var table = new EmbeddingTable(Specs.Table(segment), seed: 1);
        float[] gradient = [.. Enumerable.Range(0, segment.Dimension).Select(i => i - 8.5f)];
        float[] half = [];
        for (var step = 1; step <= 45; step++)
        {
            table.Push(1, gradient);
            half = step == 20 ? table.Read(1) : half;
        }

        var learned = table.Read(1);
        Assert.All(learned, x => Assert.True(float.IsFinite(x)));
        Assert.True(learned.Zip(half).All(x => MathF.Abs(x.First) >= 0.5f * MathF.Abs(x.Second)), "what was learned fades with the rate");
        Assert.Contains(learned, x => x != 0);
        table.Push(1, gradient);
        Assert.Equal(learned, table.Read(1), (a, b) => MathF.Abs(a - b) <= 1e-5f * MathF.Abs(b));
    }

    /// <summary>As McMahan shows of FTRL-proximal, of which Adagrad is the case without penalties.</summary>
    [Theory]
    [MemberData(nameof(Schedules))]
    public void FTRL_without_penalties_is_Adagrad_whatever_becomes_of_the_rate(LearningRateSchedule schedule, double[] shares)
    {
        EmbeddingTable[] tables = [Table(new AdagradOptimizer()), Table(new FtrlOptimizer()), Table(new GroupFtrlOptimizer())];
        for (var step = 0; step < shares.Length + 6; step++)
        {
            if (step == shares.Length + 3)
            {
                // Another rate in the specification, as after a restart.
                tables = [.. tables.Select(Restarted)];
            }

            Array.ForEach(tables, t => t.Push(1, [.. Gradients[step % 3].Select(x => (float)x)]));
            Assert.All(tables, t => Assert.Equal(tables[0].Read(1), t.Read(1), (a, b) => MathF.Abs(a - b) < 1e-6f));
        }

        Array.ForEach(tables, t => t.Dispose());

        EmbeddingTable Table(SparseOptimizerSpec optimizer) => new(Specs.Table(Specs.Segment(3, optimizer with { Schedule = schedule })), seed: 1);

        EmbeddingTable Restarted(EmbeddingTable table)
        {
            var stream = new MemoryStream();
            table.Save(stream);
            stream.Position = 0;
            var again = Table(table.Spec.Segments[0].Optimizer with { LearningRate = 0.2f });
            again.Load(stream);
            table.Dispose();
            return again;
        }
    }

    /// <summary>Decay is part of the gradient for optimizers of whole rows, too.</summary>
    [Fact]
    public void Weight_decay_counts_in_optimizers_of_whole_rows()
    {
        var n = 0.1;
        Follow(new RowWiseAdagradOptimizer { LearningRate = 0.1f, WeightDecay = 0.5f }, (w, g) =>
        {
            var decayed = g.Select((x, i) => x + (0.5 * w[i])).ToArray();
            n += decayed.Sum(x => x * x) / 3;
            return [.. w.Zip(decayed, (a, b) => a - (0.1 * b / Math.Sqrt(n)))];
        });
    }

    private static void Follow(SparseOptimizerSpec optimizer, Func<double[], double[], double[]> formula)
    {
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(3, optimizer, new ConstantInitializer(0.5f))), seed: 1);
        double[] expected = [0.5, 0.5, 0.5];
        foreach (var gradient in Gradients)
        {
            expected = formula(expected, gradient);
            table.Push(1, [.. gradient.Select(x => (float)x)]);
            Assert.Equal(expected, table.Read(1).Select(x => (double)x), (a, b) => Math.Abs(a - b) < 1e-5);
        }
    }
}
