using System.Diagnostics.Metrics;

namespace Monolith.Events;

/// <summary>Meter <c>Monolith.Events</c>.</summary>
internal sealed class EventLogMetrics : IDisposable
{
    private readonly Meter _meter = new("Monolith.Events");
    private readonly Counter<long> _records;
    private readonly Counter<long> _bytes;
    private readonly Histogram<double> _commit;

    public EventLogMetrics()
    {
        _records = _meter.CreateCounter<long>("monolith.events.appended", "{record}", "Records appended, by topic");
        _bytes = _meter.CreateCounter<long>("monolith.events.appended_bytes", "By", "Bytes appended, by topic");
        _commit = _meter.CreateHistogram<double>("monolith.events.commit.duration", "s", "One group commit, from taking it to durable");
    }

    public void Appended(string topic, int records, long bytes)
    {
        if (_records.Enabled || _bytes.Enabled)
        {
            var tag = new KeyValuePair<string, object?>("topic", topic);
            _records.Add(records, tag);
            _bytes.Add(bytes, tag);
        }
    }

    public void Committed(TimeSpan duration) => _commit.Record(duration.TotalSeconds);

    public void Dispose() => _meter.Dispose();
}
