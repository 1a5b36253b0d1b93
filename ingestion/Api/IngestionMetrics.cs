using System.Diagnostics.Metrics;

namespace Monolith.Ingestion.Api;

/// <summary>The ingest API's part of the meter <c>Monolith.Ingestion</c>.</summary>
internal sealed class IngestionMetrics : IDisposable
{
    private readonly Meter _meter = new("Monolith.Ingestion");
    private readonly Counter<long> _events;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _refused;
    private readonly Histogram<double> _append;

    public IngestionMetrics()
    {
        _events = _meter.CreateCounter<long>("monolith.ingestion.events", "{event}", "Events taken into the log, by kind");
        _duplicates = _meter.CreateCounter<long>("monolith.ingestion.duplicates", "{event}", "Events acknowledged that had been taken before, by kind");
        _refused = _meter.CreateCounter<long>("monolith.ingestion.refused", "{request}", "Requests refused, by status code");
        _append = _meter.CreateHistogram<double>("monolith.ingestion.append.duration", "s", "From a read request to durable in the log");
    }

    public void Accepted(string kind, int events, int duplicates, TimeSpan duration)
    {
        _events.Add(events, new KeyValuePair<string, object?>("kind", kind));
        _duplicates.Add(duplicates, new KeyValuePair<string, object?>("kind", kind));
        _append.Record(duration.TotalSeconds);
    }

    public void Refused(int status) => _refused.Add(1, new KeyValuePair<string, object?>("status", status));

    public void Dispose() => _meter.Dispose();
}
