using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Monolith.Contracts.Grains;
using Monolith.Serving.Api;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Demo.Reporting;

/// <summary>
/// The demo's figures. Quality is that of the scores that users were served, over the newest window: the headline says how
/// good the model is now, not how good it was on average since it knew nothing; <see cref="Total"/> has the average.
/// </summary>
public sealed record DemoReport
{
    /// <summary>AUC of the served scores, newest window.</summary>
    public required double? Auc { get; init; }

    /// <summary>AUC of the baseline on the same examples.</summary>
    public required double? BaselineAuc { get; init; }

    /// <summary>Mean log loss of the served scores, newest window.</summary>
    public required double? Logloss { get; init; }

    /// <summary>Σ served scores / Σ clicks, newest window.</summary>
    public required double? Calibration { get; init; }

    /// <summary>Events (impressions and actions) that the ingest API acknowledged, this run.</summary>
    public required long Events { get; init; }

    /// <summary>Examples learned from, since the data folder was created.</summary>
    public required long Examples { get; init; }

    /// <summary>Half of all clicks reach the scores within so many seconds.</summary>
    public required double? FreshnessP50Seconds { get; init; }

    /// <summary>99 % of all clicks reach the scores within so many seconds.</summary>
    public required double? FreshnessP99Seconds { get; init; }

    /// <summary>Calls that failed, each try counted, and canaries that were lost.</summary>
    public required long Errors { get; init; }

    /// <summary>Embedding rows of all tables.</summary>
    public required long Rows { get; init; }

    /// <summary>Largest resident memory of the process, in bytes.</summary>
    public required long PeakRssBytes { get; init; }

    /// <summary>The served scores and the baseline since the data folder was created.</summary>
    public required DemoTotals Total { get; init; }

    /// <summary>Lists asked for and shown, this run.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests not made because too many were waiting for an answer.</summary>
    public required long Skipped { get; init; }

    /// <summary>Canaries read back.</summary>
    public required long Canaries { get; init; }

    /// <summary>Canaries that did not come back.</summary>
    public required long CanariesLost { get; init; }

    /// <summary>How long the population acted, in seconds, this run.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>The world's time at the end, in seconds, that of earlier runs on the data folder included.</summary>
    public required double WorldSeconds { get; init; }

    /// <summary>Whether it was stopped before its duration had passed.</summary>
    public required bool Interrupted { get; init; }

    /// <summary>Requests a second that were asked for.</summary>
    public required double Rate { get; init; }

    /// <summary>Users.</summary>
    public required int Users { get; init; }

    /// <summary>Seed of the world.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Largest resident memory of this process, in bytes.</summary>
    public static long PeakRss()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    /// <summary>Writes the report as JSON, whole or not at all.</summary>
    public void WriteTo(string path) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, this, DemoReportJson.Default.DemoReport));
}

/// <summary>Quality since the data folder was created.</summary>
/// <param name="Auc">AUC of the served scores.</param>
/// <param name="BaselineAuc">AUC of the baseline.</param>
/// <param name="ProgressiveAuc">AUC of the trainer's scores before it learned.</param>
/// <param name="Logloss">Mean log loss of the served scores.</param>
/// <param name="Calibration">Σ served scores / Σ clicks.</param>
public sealed record DemoTotals(double? Auc, double? BaselineAuc, double? ProgressiveAuc, double? Logloss, double? Calibration)
{
    internal static DemoTotals Of(TaskQuality? quality) => new(
        Figures.Finite(quality?.Served?.Auc),
        Figures.Finite(quality?.Baseline?.Auc),
        Figures.Finite(quality?.Progressive.Auc),
        Figures.Finite(quality?.Served?.LogLoss),
        Figures.Finite(quality?.Served?.Calibration));
}

/// <summary>Writes reports.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(DemoReport))]
internal sealed partial class DemoReportJson : JsonSerializerContext;

internal static class Figures
{
    /// <summary>The first task's figures.</summary>
    public static TaskQuality? Headline(this ModelStatus? status) =>
        status?.Training?.Tasks is [var first, ..] ? first : null;

    /// <summary>A figure that can be said, or null.</summary>
    public static double? Finite(double? value) => value is { } x && double.IsFinite(x) ? x : null;
}
