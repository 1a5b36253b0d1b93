using System.Diagnostics.Metrics;
using Monolith.Contracts.Grains;

namespace Monolith.Silos.Parts;

/// <summary>Figures of the parts in this process: meter <c>Monolith.Silos</c>, seconds and bytes, tagged with model and part.</summary>
public sealed class SiloMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Monolith.Silos";

    private readonly Meter _meter;
    private readonly Counter<long> _pushes;
    private readonly Counter<long> _rowsPushed;
    private readonly Counter<long> _rowsRead;
    private readonly Counter<long> _rowsExpired;
    private readonly Counter<long> _rounds;
    private readonly Counter<long> _deltas;
    private readonly Counter<long> _deltaBytes;
    private readonly Histogram<double> _saves;
    private readonly Histogram<double> _holds;
    private readonly Histogram<double> _restores;
    private readonly Counter<long> _snapshotBytes;
    private readonly Counter<long> _failures;

    /// <summary>Creates the meter.</summary>
    /// <param name="factory">The host's; null: a meter of its own.</param>
    public SiloMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _pushes = _meter.CreateCounter<long>("monolith.part.pushes", "{push}", "Pushes, by outcome");
        _rowsPushed = _meter.CreateCounter<long>("monolith.shard.rows_pushed", "{row}", "Rows that gradients were applied to");
        _rowsRead = _meter.CreateCounter<long>("monolith.shard.rows_read", "{row}", "Rows looked up");
        _rowsExpired = _meter.CreateCounter<long>("monolith.shard.rows_expired", "{row}", "Rows that expired");
        _rounds = _meter.CreateCounter<long>("monolith.federation.reports", "{report}", "Reports of workers in closed rounds");
        _deltas = _meter.CreateCounter<long>("monolith.sync.deltas", "{delta}", "Deltas published");
        _deltaBytes = _meter.CreateCounter<long>("monolith.sync.delta_bytes", "By", "Bytes of deltas published");
        _saves = _meter.CreateHistogram<double>("monolith.snapshot.duration", "s", "From the copy to the durable file");
        _holds = _meter.CreateHistogram<double>("monolith.snapshot.hold", "s", "How long the part's calls waited for the copy");
        _restores = _meter.CreateHistogram<double>("monolith.snapshot.restore", "s", "Restoring a part");
        _snapshotBytes = _meter.CreateCounter<long>("monolith.snapshot.bytes", "By", "Bytes of snapshots written");
        _failures = _meter.CreateCounter<long>("monolith.snapshot.failures", "{snapshot}", "Snapshots that could not be written");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Pushed(PartIdentity part, PushOutcome outcome)
    {
        if (_pushes.Enabled)
        {
            _pushes.Add(1, Model(part), Part(part), new("outcome", outcome.ToString()));
        }
    }

    internal void RowsPushed(PartIdentity part, int rows, int expired)
    {
        Add(_rowsPushed, part, rows);
        Add(_rowsExpired, part, expired);
    }

    internal void RowsRead(PartIdentity part, int rows) => Add(_rowsRead, part, rows);

    internal void RoundClosed(PartIdentity part, int reports) => Add(_rounds, part, reports);

    internal void Published(PartIdentity part, int bytes)
    {
        Add(_deltas, part, 1);
        Add(_deltaBytes, part, bytes);
    }

    internal void Saved(PartIdentity part, TimeSpan elapsed, TimeSpan held, long bytes)
    {
        _saves.Record(elapsed.TotalSeconds, Model(part), Part(part));
        _holds.Record(held.TotalSeconds, Model(part), Part(part));
        Add(_snapshotBytes, part, bytes);
    }

    internal void SaveFailed(PartIdentity part) => Add(_failures, part, 1);

    internal void Restored(PartIdentity part, TimeSpan elapsed) => _restores.Record(elapsed.TotalSeconds, Model(part), Part(part));

    private static void Add(Counter<long> counter, PartIdentity part, long value)
    {
        if (value != 0 && counter.Enabled)
        {
            counter.Add(value, Model(part), Part(part));
        }
    }

    private static KeyValuePair<string, object?> Model(PartIdentity part) => new("model", part.Model);

    private static KeyValuePair<string, object?> Part(PartIdentity part) => new("part", part.Folder);
}
