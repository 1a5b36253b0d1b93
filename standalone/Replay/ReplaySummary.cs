using System.Globalization;
using Monolith.Contracts.Specification;

namespace Monolith.Standalone.Replay;

/// <summary>Prints what a replay came to.</summary>
internal static class ReplaySummary
{
    /// <summary>Prints a small table: each task, and the baseline beside the first.</summary>
    public static void Print(ReplayReport report, ModelSpec spec, TextWriter output)
    {
        var seconds = report.Run.Wall - report.Run.Start;
        var examples = report.Quality[0].All.Examples;
        output.WriteLine($"{report.Run.Data}: {report.Status}, {examples:N0} examples, {report.Quality[0].All.Positives:N0} positive, "
            + $"in {seconds.TotalSeconds:0.0} s ({examples / Math.Max(seconds.TotalSeconds, 1e-3):N0}/s) after {report.Run.Start.TotalSeconds:0.0} s of start");
        if (report.Run.LeftOut > 0)
        {
            output.WriteLine($"{report.Run.LeftOut:N0} examples were left out of learning and of all figures; the messages above say why");
        }

        if (examples == 0)
        {
            output.WriteLine(report.Run.LeftOut > 0
                ? "nothing was learned"
                : "nothing was learned: the data folder had this file already, or no row has a label");
            return;
        }

        output.WriteLine($"{"",-34} {"AUC",8} {"log loss",9} {"NE",8} {"calibr.",8}   last 20 %: {"AUC",8} {"log loss",9}");
        for (var t = 0; t < spec.Tasks.Length; t++)
        {
            Row($"{spec.Network.GetType().Name.Replace("Network", "", StringComparison.Ordinal)} on {spec.Tasks[t].Name}", report.Quality[t]);
        }

        Row(spec.Training.Baseline is { } feature ? $"baseline: {feature} alone" : "baseline: rate so far", report.Baseline);
        output.WriteLine($"rows: {string.Join(", ", report.Run.Rows.Select(r => $"{r.Key} {r.Value.ToString("N0", CultureInfo.InvariantCulture)}"))}; "
            + $"peak memory {report.Run.PeakRssBytes / 1e6:N0} MB");

        void Row(string name, Figures f) => output.WriteLine(
            $"{name,-34} {Show(f.All.Auc),8} {Show(f.All.Logloss),9} {Show(f.All.NormalizedEntropy),8} {Show(f.All.Calibration),8}"
            + $"              {Show(f.Last20Percent.Auc),8} {Show(f.Last20Percent.Logloss),9}");
    }

    private static string Show(double? figure) => figure is { } x ? x.ToString("0.0000", CultureInfo.InvariantCulture) : "-";
}
