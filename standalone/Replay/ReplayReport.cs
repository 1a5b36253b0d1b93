using System.Text.Json;
using System.Text.Json.Nodes;
using Monolith.Contracts.Specification;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Replay;

/// <summary>What a replay came to: the figures, and the report file made of them.</summary>
/// <param name="Status">complete, interrupted or failed.</param>
/// <param name="Quality">Figures of each task, in order.</param>
/// <param name="Baseline">Figures of the baseline on the first task.</param>
/// <param name="Run">How it ran.</param>
internal sealed record ReplayReport(string Status, IReadOnlyList<Figures> Quality, Figures Baseline, ReplayRun Run)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Computes the figures of the rows that were scored.</summary>
    public static ReplayReport Of(ModelSpec spec, string path, ScoreFile scores, string status, ReplayRun run) => new(
        status,
        [.. spec.Tasks.Select((_, t) => Figures.Of(scores.Read(t), scores.Read(t).LongCount()))],
        Figures.Of(BaselineScores.Of(spec, path, scores.Read(0)), scores.Read(0).LongCount()),
        run);

    /// <summary>Writes the report: whole or not at all.</summary>
    public void Write(string file, ModelSpec spec) =>
        AtomicFile.Write(file, stream => JsonSerializer.Serialize(stream, Json(spec), Indented));

    /// <summary>The report.</summary>
    public JsonObject Json(ModelSpec spec)
    {
        var json = Quality[0].Json();
        json["status"] = Status;
        if (Run.Error is not null)
        {
            json["error"] = Run.Error;
        }

        json["baseline"] = Baseline.Json();
        json["baseline"]!["feature"] = spec.Training.Baseline;
        json["baseline_auc"] = Baseline.All.Auc;
        if (spec.Tasks.Length > 1)
        {
            json["tasks"] = new JsonObject(spec.Tasks.Zip(Quality, (t, q) => KeyValuePair.Create(t.Name, (JsonNode?)q.Json())));
        }

        json["left_out"] = Run.LeftOut;
        json["rows"] = new JsonObject(Run.Rows.Select(r => KeyValuePair.Create(r.Key, (JsonNode?)r.Value)));
        json["wall_seconds"] = Math.Round(Run.Wall.TotalSeconds, 3);
        json["start_seconds"] = Math.Round(Run.Start.TotalSeconds, 3);
        json["examples_per_second"] = Math.Round(Quality[0].All.Examples / Math.Max((Run.Wall - Run.Start).TotalSeconds, 1e-3), 1);
        json["peak_rss_bytes"] = Run.PeakRssBytes;
        json["workers"] = Run.Workers;
        json["data"] = Run.Data;
        json["specification"] = SpecJson.Of(spec);
        return json;
    }
}

/// <summary>How a replay ran.</summary>
/// <param name="Data">The replayed file.</param>
/// <param name="Workers">Trainer workers.</param>
/// <param name="Wall">From the command's start until everything was learned and saved.</param>
/// <param name="Start">Of that, until the first example could be read.</param>
/// <param name="Rows">Rows by table.</param>
/// <param name="PeakRssBytes">Largest resident memory.</param>
/// <param name="LeftOut">Examples that were left out of learning, and so of all figures.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
internal sealed record ReplayRun(
    string Data, int Workers, TimeSpan Wall, TimeSpan Start, IReadOnlyDictionary<string, long> Rows, long PeakRssBytes,
    long LeftOut, string? Error);
