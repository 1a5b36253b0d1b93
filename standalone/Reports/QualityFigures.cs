namespace Monolith.Standalone.Reports;

/// <summary>Figures of a sequence of scores and labels; names as in report files.</summary>
internal sealed record QualityFigures
{
    /// <summary>Number of examples.</summary>
    public required long Examples { get; init; }

    /// <summary>Number of positive ones.</summary>
    public required long Positives { get; init; }

    /// <summary>Area under the ROC curve; null while one class is missing.</summary>
    public required double? Auc { get; init; }

    /// <summary>Mean log loss.</summary>
    public required double? Logloss { get; init; }

    /// <summary>Log loss over the entropy of the base rate.</summary>
    public required double? NormalizedEntropy { get; init; }

    /// <summary>Σ predicted / Σ observed.</summary>
    public required double? Calibration { get; init; }

    /// <summary>Computes them; the AUC exactly, by rank sums with ties halved.</summary>
    public static QualityFigures Of(IEnumerable<(float Score, float Label)> examples)
    {
        var scores = new List<float>();
        var labels = new List<bool>();
        double loss = 0, predicted = 0;
        foreach (var (score, label) in examples)
        {
            scores.Add(score);
            labels.Add(label > 0.5f);
            predicted += score;
            var p = Math.Clamp((double)score, 1e-7, 1 - 1e-7);
            loss -= label > 0.5f ? Math.Log(p) : Math.Log(1 - p);
        }

        long n = scores.Count, positives = labels.Count(l => l);
        var rate = n == 0 ? 0 : (double)positives / n;
        var entropy = -((rate * Math.Log(rate)) + ((1 - rate) * Math.Log(1 - rate)));
        return new QualityFigures
        {
            Examples = n,
            Positives = positives,
            Auc = AreaUnderCurve([.. scores], [.. labels], positives),
            Logloss = n == 0 ? null : loss / n,
            NormalizedEntropy = n == 0 || positives == 0 || positives == n ? null : loss / n / entropy,
            Calibration = positives == 0 ? null : predicted / positives,
        };
    }

    private static double? AreaUnderCurve(float[] scores, bool[] labels, long positives)
    {
        var negatives = scores.Length - positives;
        if (positives == 0 || negatives == 0)
        {
            return null;
        }

        Array.Sort(scores, labels);
        double area = 0;
        long below = 0;
        for (var i = 0; i < scores.Length;)
        {
            long tiedPositives = 0, tiedNegatives = 0;
            var value = scores[i];
            for (; i < scores.Length && scores[i] == value; i++)
            {
                if (labels[i])
                {
                    tiedPositives++;
                }
                else
                {
                    tiedNegatives++;
                }
            }

            area += tiedPositives * (below + (tiedNegatives / 2.0));
            below += tiedNegatives;
        }

        return area / ((double)positives * negatives);
    }
}
