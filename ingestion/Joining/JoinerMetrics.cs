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

    public JoinerMetrics(Func<long> pendingItems, Func<long> waiting)
    {
        _events = _meter.CreateCounter<long>("monolith.joiner.events", "{event}", "Events by what became of them");
        _examples = _meter.CreateCounter<long>("monolith.joiner.examples", "{example}", "Examples emitted");
        _labels = _meter.CreateCounter<long>("monolith.joiner.labels", "{label}", "Labels of tasks: said as positive or negative, or sampled away");
        _transaction = _meter.CreateHistogram<double>("monolith.joiner.transaction.duration", "s", "One transaction, from reading to durable");
        _checkpoint = _meter.CreateHistogram<double>("monolith.joiner.checkpoint.duration", "s", "One checkpoint of a partition, until it is on disk");
        _pause = _meter.CreateHistogram<double>("monolith.joiner.checkpoint.pause", "s", "Of that, how long nothing was joined");
        _checkpointBytes = _meter.CreateCounter<long>("monolith.joiner.checkpoint.size", "By", "Bytes of checkpoints, without impressions");
        _meter.CreateObservableGauge("monolith.joiner.pending", pendingItems, "{item}", "Shown items whose window is open");
        _meter.CreateObservableGauge("monolith.joiner.waiting", waiting, "{action}", "Actions that wait for their impression");
    }

    public void Committed(JoinCounts counts, TimeSpan duration)
    {
        _transaction.Record(duration.TotalSeconds);
        Add(_events, "outcome", "impression", counts.Impressions);
        Add(_events, "outcome", "action", counts.Actions);
        Add(_events, "outcome", "duplicate", counts.Duplicates);
        Add(_events, "outcome", "request", counts.Requests);
        Add(_events, "outcome", "empty", counts.Empty);
        Add(_events, "outcome", "matched", counts.Matched);
        Add(_events, "outcome", "late", counts.Late);
        Add(_events, "outcome", "partly_late", counts.PartlyLate);
        Add(_events, "outcome", "outranked", counts.Outranked);
        Add(_events, "outcome", "orphan", counts.Orphans);
        Add(_events, "outcome", "unlabelled", counts.Unlabelled);
        Add(_events, "outcome", "dead_letter", counts.DeadLetters);
        Add(_events, "outcome", "rerouted", counts.Rerouted);
        Add(_events, "outcome", "canary", counts.Canaries);
        _examples.Add(counts.Examples);
        Add(_labels, "label", "positive", counts.Positives);
        Add(_labels, "label", "negative", counts.Negatives);
        Add(_labels, "label", "sampled_away", counts.SampledAway);
    }

    public void Checkpointed(TimeSpan pause, TimeSpan duration, long bytes)
    {
        _pause.Record(pause.TotalSeconds);
        _checkpoint.Record(duration.TotalSeconds);
        _checkpointBytes.Add(bytes);
    }

    public void Dispose() => _meter.Dispose();

    private static void Add(Counter<long> counter, string tag, string value, long count)
    {
        if (count != 0)
        {
            counter.Add(count, new KeyValuePair<string, object?>(tag, value));
        }
    }
}
