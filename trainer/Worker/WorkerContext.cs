using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Parts;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Telemetry;

namespace Monolith.Trainer.Worker;

/// <summary>What the workers of a trainer share.</summary>
/// <param name="Spec">The model.</param>
/// <param name="Parts">What learns.</param>
/// <param name="Source">Where examples come from.</param>
/// <param name="Sink">Sees scores; null: nobody.</param>
/// <param name="Options">Settings.</param>
/// <param name="Time">Clock.</param>
/// <param name="Metrics">Figures.</param>
/// <param name="Logger">Log.</param>
internal sealed record WorkerContext(
    ModelSpec Spec, ModelParts Parts, IExampleSource Source, IScoreSink? Sink, TrainerOptions Options, TimeProvider Time,
    TrainerMetrics Metrics, ILogger Logger)
{
    /// <summary>Numeric features whose scale some worker has warned of: each is named once.</summary>
    public ConcurrentDictionary<string, bool> ReportedScales { get; } = new();
}
