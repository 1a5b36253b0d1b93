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

    /// <summary>By how much <see cref="Auc"/> may be off at most: 0 when it is exact.</summary>
    public required double AucErrorMax { get; init; }

    /// <summary>Mean log loss.</summary>
    public required double? Logloss { get; init; }

    /// <summary>Log loss over the entropy of the base rate.</summary>
    public required double? NormalizedEntropy { get; init; }

    /// <summary>Σ predicted / Σ observed.</summary>
    public required double? Calibration { get; init; }

    /// <summary>The figures of a whole sequence.</summary>
    public static QualityFigures Of(IEnumerable<(float Score, float Label)> examples)
    {
        var quality = new QualityAccumulator();
        foreach (var (score, label) in examples)
        {
            quality.Add(score, label > 0.5f);
        }

        return quality.Figures();
    }
}
