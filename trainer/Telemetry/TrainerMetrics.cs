using System.Diagnostics.Metrics;

namespace Monolith.Trainer.Telemetry;

/// <summary>Figures of the trainer, for OpenTelemetry; meter <c>Monolith.Trainer</c>.</summary>
public sealed class TrainerMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Monolith.Trainer";

    private readonly Meter _meter;
    private readonly Counter<long> _examples;
    private readonly Counter<long> _batches;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _compute;
    private readonly Histogram<double> _lookup;
    private readonly Histogram<double> _push;
    private readonly Histogram<double> _round;
    private readonly Histogram<double> _delay;

    /// <summary>Creates the instruments.</summary>
    /// <param name="factory">The host's; null: a meter of its own.</param>
    public TrainerMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _examples = _meter.CreateCounter<long>("monolith.trainer.examples", "{example}", "Examples learned, repeated ones after a recovery included.");
        _batches = _meter.CreateCounter<long>("monolith.trainer.micro_batches", "{batch}", "Micro-batches learned.");
        _refused = _meter.CreateCounter<long>("monolith.trainer.refused_examples", "{example}", "Examples left out: a value that its feature cannot take, or one beyond all measure.");
        _failures = _meter.CreateCounter<long>("monolith.trainer.failures", "{failure}", "Failures after which a worker went back to where the parts stand.");
        _compute = _meter.CreateHistogram<double>("monolith.trainer.compute.duration", "s", "Scoring and learning a micro-batch.");
        _lookup = _meter.CreateHistogram<double>("monolith.trainer.lookup.duration", "s", "Fetching a micro-batch's rows from all shards.");
        _push = _meter.CreateHistogram<double>("monolith.trainer.push.duration", "s", "Pushing a micro-batch to all parts.");
        _round = _meter.CreateHistogram<double>("monolith.trainer.round.duration", "s", "From a report to its round's result.");
        _delay = _meter.CreateHistogram<double>("monolith.trainer.example.delay", "s", "From the emission of a micro-batch's newest example until every shard has it.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Batch(int examples, TimeSpan compute)
    {
        _examples.Add(examples);
        _batches.Add(1);
        _compute.Record(compute.TotalSeconds);
    }

    internal void Refused(int examples) => _refused.Add(examples);

    internal void Failure() => _failures.Add(1);

    internal void Lookup(TimeSpan duration) => _lookup.Record(duration.TotalSeconds);

    internal void Push(TimeSpan duration) => _push.Record(duration.TotalSeconds);

    internal void Round(TimeSpan duration) => _round.Record(duration.TotalSeconds);

    internal void Delay(TimeSpan delay) => _delay.Record(delay.TotalSeconds);
}
