using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Model;

namespace Monolith.Trainer.Tests.Model;

public sealed class DeepFmTests
{
    [Fact]
    public void Scores_are_those_of_the_formula()
    {
        Gen.Select(SomeModel.Specs, Gen.Int[1, 9], Gen.Int).Sample(
            (spec, examples, seed) =>
            {
                var batch = SomeModel.Batch(spec, examples, seed);
                using var model = Randomized(spec, seed);
                var scores = new float[examples * spec.Tasks.Length];
                model.Score(batch.Features, batch.Ids.Rows, batch.Rows, scores);

                var logits = PlainDeepFm.Logits(spec, Doubles(model.Parameters), Doubles(batch.Rows), batch);
                double[] expected = [.. logits.Cast<double>().Select(l => 1 / (1 + Math.Exp(-l)))];
                Assert.All(expected.Zip(scores), p => Assert.Equal(p.First, p.Second, 1e-5));
            },
            iter: 60, threads: 1);
    }

    [Fact]
    public void Gradients_are_those_of_the_loss_summed_for_rows_and_averaged_for_dense_parameters()
    {
        // Fixed cases: at the kink of a rectifier a difference quotient is no gradient, and random cases come upon one some day.
        for (var seed = 0; seed < 40; seed++)
        {
            var spec = SomeModel.Specs.Generate(new PCG(1, (ulong)seed), null, out _);
            // A partial micro-batch is averaged as if it were full, so that its examples weigh no more than others.
            spec = spec with { Training = spec.Training with { MicroBatch = seed % 2 == 0 ? 1 : 32 } };
            var examples = 1 + (seed % 9);
            var batch = SomeModel.Batch(spec, examples, seed);
            using var model = Randomized(spec, seed);
            var scores = new float[examples * spec.Tasks.Length];
            var before = new float[scores.Length];
            var rowGradients = new float[batch.Rows.Length];
            Array.Fill(rowGradients, 77);
            model.Score(batch.Features, batch.Ids.Rows, batch.Rows, before);
            model.Learn(batch.Features, batch.Ids.Rows, batch.Rows, batch.Targets, scores, rowGradients);
            Assert.Equal(before, scores);

            var (dense, rows) = (Doubles(model.Parameters), Doubles(batch.Rows));
            AssertSlope(dense, i => model.Gradient[i] * Math.Max(examples, spec.Training.MicroBatch), () => PlainDeepFm.Loss(spec, dense, rows, batch));
            AssertSlope(rows, i => rowGradients[i], () => PlainDeepFm.Loss(spec, dense, rows, batch));
        }
    }

    [Fact]
    public void Learning_again_starts_from_clean_gradients_and_repeats_itself()
    {
        var spec = SomeModel.Spec();
        var (large, small) = (SomeModel.Batch(spec, 200, 1), SomeModel.Batch(spec, 5, 2));
        using var model = Randomized(spec, 3);
        float[] Learn(SomeBatch batch)
        {
            var rowGradients = new float[batch.Rows.Length];
            var scores = new float[batch.Features.Count];
            model.Learn(batch.Features, batch.Ids.Rows, batch.Rows, batch.Targets, scores, rowGradients);
            return [.. model.Gradient, .. rowGradients, .. scores];
        }

        var first = Learn(small);
        Learn(large);
        Assert.Equal(first, Learn(small));
    }

    [Fact]
    public void An_empty_batch_has_no_gradient()
    {
        var spec = SomeModel.Spec();
        var batch = SomeModel.Batch(spec, 0, 1);
        using var model = Randomized(spec, 3);
        model.Learn(batch.Features, batch.Ids.Rows, batch.Rows, batch.Targets, [], []);
        Assert.All(model.Gradient.ToArray(), g => Assert.Equal(0, g));
    }

    [Fact]
    public void The_score_of_a_fresh_model_is_the_base_rate()
    {
        var spec = SomeModel.Spec(numbers: 0, tasks: 2);
        var batch = SomeModel.Batch(spec, 3, 1);
        using var model = new DeepFm(spec);
        var scores = new float[6];
        model.Score(batch.Features, batch.Ids.Rows, new float[batch.Rows.Length], scores);
        Assert.All(scores.Chunk(2), s =>
        {
            Assert.Equal(0.1, s[0], 1e-6);
            Assert.Equal(0.3, s[1], 1e-6);
        });
    }

    internal static DeepFm Randomized(ModelSpec spec, int seed)
    {
        var model = new DeepFm(spec);
        var random = new Random(seed);
        foreach (ref var value in model.Parameters)
        {
            value += (float)(random.NextDouble() - 0.5) * 0.4f;
        }

        return model;
    }

    private static double[] Doubles(ReadOnlySpan<float> values) => [.. values.ToArray()];

    // Central differences at up to 40 places spread over the vector.
    private static void AssertSlope(double[] values, Func<int, float> gradient, Func<double> loss)
    {
        const double h = 1e-7;
        for (var i = 0; i < values.Length; i += Math.Max(1, values.Length / 40))
        {
            var value = values[i];
            values[i] = value + h;
            var up = loss();
            values[i] = value - h;
            var slope = (up - loss()) / (2 * h);
            values[i] = value;
            Assert.Equal(slope, gradient(i), 1e-3 * Math.Max(1, Math.Abs(slope)));
        }
    }
}
