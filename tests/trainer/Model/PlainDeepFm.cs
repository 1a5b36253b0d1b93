using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Tests.Model;

/// <summary>The network written down as the formula says, in double precision and with no care for speed.</summary>
internal static class PlainDeepFm
{
    public static double[,] Logits(ModelSpec spec, double[] dense, double[] rows, SomeBatch batch)
    {
        var layout = DenseLayout.Of(spec);
        double[] Tensor(string name) => layout.Tensors.SingleOrDefault(t => t.Name == name) is { } t ? dense[t.Offset..(t.Offset + t.Length)] : [];
        var features = spec.Features.OfType<EmbeddedFeature>().ToArray();
        var k = spec.Tables[0].Dimension - 1;
        var logits = new double[batch.Features.Count, spec.Tasks.Length];
        for (var e = 0; e < batch.Features.Count; e++)
        {
            var first = 0.0;
            var vectors = new List<double[]>();
            for (var f = 0; f < features.Length; f++)
            {
                var occurrences = batch.Ids.Rows[batch.Features.Range(e, f)].ToArray();
                var scale = features[f].Combiner switch
                {
                    Combiner.Mean => 1.0 / Math.Max(1, occurrences.Length),
                    Combiner.SqrtN => 1.0 / Math.Sqrt(Math.Max(1, occurrences.Length)),
                    _ => 1.0,
                };
                first += scale * occurrences.Sum(o => rows[o * (k + 1)]);
                vectors.Add([.. Enumerable.Range(1, k).Select(d => scale * occurrences.Sum(o => rows[(o * (k + 1)) + d]))]);
            }

            var interactions = 0.0;
            for (var a = 0; a < vectors.Count; a++)
            {
                for (var b = a + 1; b < vectors.Count; b++)
                {
                    interactions += vectors[a].Zip(vectors[b], (x, y) => x * y).Sum();
                }
            }

            var n = batch.Features.NumericFeatures;
            double[] numbers = [.. batch.Features.AllNumbers.Slice(e * n, n).ToArray()];
            double[] hidden = [.. vectors.SelectMany(v => v), .. numbers];
            for (var layer = 0; layer < spec.Network.Hidden.Length; layer++)
            {
                hidden = [.. Affine(Tensor($"mlp.{layer}.weight"), Tensor($"mlp.{layer}.bias"), hidden).Select(x => Math.Max(0, x))];
            }

            var head = Affine(Tensor("head.weight"), Tensor("bias"), hidden);
            var numeric = Tensor("numeric.weight").Zip(numbers, (w, x) => w * x).Sum();
            for (var t = 0; t < spec.Tasks.Length; t++)
            {
                logits[e, t] = head[t] + first + interactions + numeric;
            }
        }

        return logits;
    }

    /// <summary>Σ weight · task weight · cross-entropy(logit − ln keep rate, label).</summary>
    public static double Loss(ModelSpec spec, double[] dense, double[] rows, SomeBatch batch)
    {
        var logits = Logits(spec, dense, rows, batch);
        var sum = 0.0;
        for (var e = 0; e < logits.GetLength(0); e++)
        {
            for (var t = 0; t < spec.Tasks.Length; t++)
            {
                var label = batch.Targets.Labels[(e * spec.Tasks.Length) + t];
                var logit = logits[e, t] - Math.Log(batch.Targets.KeepRates[(e * spec.Tasks.Length) + t]);
                if (!float.IsNaN(label))
                {
                    sum += batch.Targets.Weights[(e * spec.Tasks.Length) + t] * spec.Tasks[t].LossWeight * (Math.Log(1 + Math.Exp(logit)) - (label * logit));
                }
            }
        }

        return sum;
    }

    private static double[] Affine(double[] weight, double[] bias, double[] x) =>
        [.. bias.Select((b, o) => b + Enumerable.Range(0, x.Length).Sum(i => weight[(o * x.Length) + i] * x[i]))];
}
