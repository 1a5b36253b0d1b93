using System.Diagnostics;
using System.Diagnostics.Metrics;
using Monolith.Serving.Replica;

namespace Monolith.Serving.Scoring;

/// <summary>Metrics of scoring, meter <c>Monolith.Serving</c>.</summary>
public sealed class ScoringMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Monolith.Serving";

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _candidates;

    /// <summary>Creates the instruments.</summary>
    public ScoringMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _meter = meters.Create(MeterName);
        _duration = _meter.CreateHistogram<double>("monolith.serving.score.duration", "s", "Computing the scores of a request.");
        _candidates = _meter.CreateCounter<long>("monolith.serving.candidates", "{candidate}", "Candidates scored.");
    }

    /// <summary>Reports the replica's age, rows and memory whenever somebody asks.</summary>
    public void Watch(string model, ParameterReplica replica, TimeProvider clock)
    {
        var tag = new KeyValuePair<string, object?>("model", model);
        _meter.CreateObservableGauge(
            "monolith.serving.replica.age",
            () => replica.IsReady && replica.WatermarkMs is > 0 and var ms
                ? [new Measurement<double>((clock.GetUtcNow().ToUnixTimeMilliseconds() - ms) / 1000.0, tag)]
                : Array.Empty<Measurement<double>>(),
            "s",
            "Age of what the replica has learned through.");
        _meter.CreateObservableGauge(
            "monolith.serving.replica.rows", () => new Measurement<long>(replica.Rows().Sum(), tag), "{row}", "Rows of the replica.");
        _meter.CreateObservableGauge(
            "monolith.serving.replica.bytes", () => new Measurement<long>(replica.Bytes(), tag), "By", "Memory of the replica's tables.");
    }

    /// <summary>A request was scored.</summary>
    public void Scored(string model, int candidates, TimeSpan duration)
    {
        var tags = new TagList { { "model", model } };
        _duration.Record(duration.TotalSeconds, tags);
        _candidates.Add(candidates, tags);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
