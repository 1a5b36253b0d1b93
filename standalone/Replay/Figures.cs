using System.Text.Json.Nodes;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Replay;

/// <summary>Figures over all rows of a replay, and over its last fifth.</summary>
/// <param name="All">All rows.</param>
/// <param name="Last20Percent">The last 20 % of them.</param>
internal sealed record Figures(QualityFigures All, QualityFigures Last20Percent)
{
    /// <summary>The figures of rows in file order.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="count">How many they are.</param>
    public static Figures Of(IEnumerable<ScoredRow> rows, long count)
    {
        var (lastFrom, index) = (count - (count / 5), 0L);
        var (all, last) = (new QualityAccumulator(), new QualityAccumulator());
        foreach (var row in rows)
        {
            all.Add(row.Score, row.Label > 0.5f);
            if (index++ >= lastFrom)
            {
                last.Add(row.Score, row.Label > 0.5f);
            }
        }

        return new Figures(all.Figures(), last.Figures());
    }

    /// <summary>As in the report.</summary>
    public JsonObject Json()
    {
        var json = Json(All);
        json["last_20_percent"] = Json(Last20Percent);
        return json;
    }

    private static JsonObject Json(QualityFigures figures)
    {
        var json = new JsonObject
        {
            ["examples"] = figures.Examples,
            ["positives"] = figures.Positives,
            ["auc"] = Finite(figures.Auc),
            ["logloss"] = Finite(figures.Logloss),
            ["normalized_entropy"] = Finite(figures.NormalizedEntropy),
            ["calibration"] = Finite(figures.Calibration),
        };
        if (figures.AucErrorMax > 0)
        {
            json["auc_error_max"] = figures.AucErrorMax;
        }

        return json;
    }

    // JSON has no NaN and no infinity; a figure must not cost the report.
    private static double? Finite(double? figure) => figure is { } x && double.IsFinite(x) ? x : null;
}
