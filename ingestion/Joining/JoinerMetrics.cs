using System.Diagnostics.Metrics;

namespace Monolith.Ingestion.Joining;

/// <summary>The joiner's part of the meter <c>Monolith.Ingestion</c>.</summary>
internal sealed class JoinerMetrics : IDisposable
{
    private readonly Meter _meter = new("Monolith.Ingestion");
    private readonly Counter<long> _events;
    private readonly Counter<long> _examples;
    private readonly Counter<long> _labels;
    private readonly Histogram<double> _transaction;
    private readonly Histogram<double> _checkpoint;
    private readonly Histogram<double> _pause;
    private readonly Counter<long> _checkpointBytes;
    private readonly ObservableGauge<long> _lag;

    /// <summary>Makes the instruments.</summary>
    /// <param name="view">How the partitions stand; null: nothing runs.</param>
    /// <param name="lag">Records that are yet to be read; −1: not known.</param>
    /// <param name="time">Clock.</param>
    public JoinerMetrics(Func<JoinerView?> view, Func<long> lag, TimeProvider time)
    {
        _events = _meter.CreateCounter<long>("monolith.joiner.events", "{event}", "Events by what became of them");
        _examples = _meter.CreateCounter<long>("monolith.joiner.examples", "{example}", "Examples emitted");
        _labels = _meter.CreateCounter<long>("monolith.joiner.labels", "{label}", "Labels of tasks: said as positive or negative, or sampled away");
        _transaction = _meter.CreateHistogram<double>("monolith.joiner.transaction.duration", "s", "One transaction, from reading to durable");
        _checkpoint = _meter.CreateHistogram<double>("monolith.joiner.checkpoint.duration", "s", "One checkpoint of a partition, until it is on disk");
        _pause = _meter.CreateHistogram<double>("monolith.joiner.checkpoint.pause", "s", "Of that, how long nothing was joined");
        _checkpointBytes = _meter.CreateCounter<long>("monolith.joiner.checkpoint.size", "By", "Bytes of checkpoints, without impressions");
        _meter.CreateObservableGauge("monolith.joiner.pending", () => view()?.PendingItems ?? 0, "{item}", "Shown items whose window is open");
        _meter.CreateObservableGauge("monolith.joiner.waiting", () => view()?.Waiting ?? 0, "{action}", "Actions that wait for their impression");
        // What is not known has no value: a zero would say that all is well.
        _lag = _meter.CreateObservableGauge(
            "monolith.joiner.lag",
            () => lag() is >= 0 and var records ? [new Measurement<long>(records)] : Array.Empty<Measurement<long>>(),
            "{event}",
            "Impressions and actions that are yet to be read");
        _meter.CreateObservableGauge(
            "monolith.joiner.watermark.delay",
            () => view() is { WatermarkMs: > 0 and var ms }
                ? [new Measurement<double>(Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - ms) / 1000.0)]
                : Array.Empty<Measurement<double>>(),
            "s",
            "How far the event time that windows have closed through is behind the clock, in the partition that is furthest behind");
    }

    public Meter Meter => _meter;

    /// <summary>Whether anybody reads the lag.</summary>
    public bool IsLagRead => _lag.Enabled;

    public void Committed(JoinCounts counts, TimeSpan duration)
    {
        _transaction.Record(duration.TotalSeconds);
        Add(_events, "outcome", counts.Outcomes());
        _examples.Add(counts.Examples);
        Add(_labels, "label", counts.Labels());
    }

    public void Checkpointed(TimeSpan pause, TimeSpan duration, long bytes)
    {
        _pause.Record(pause.TotalSeconds);
        _checkpoint.Record(duration.TotalSeconds);
        _checkpointBytes.Add(bytes);
    }

    public void Dispose() => _meter.Dispose();

    private static void Add(Counter<long> counter, string tag, IEnumerable<KeyValuePair<string, long>> counts)
    {
        foreach (var (value, count) in counts)
        {
            if (count != 0)
            {
                counter.Add(count, new KeyValuePair<string, object?>(tag, value));
            }
        }
    }
}
