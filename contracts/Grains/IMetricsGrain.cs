using Monolith.Contracts.Blocks;

namespace Monolith.Contracts.Grains;

/// <summary>
/// Progressive validation of a model: every example scored before it was learned from; key <c>model</c>. A part like any
/// other, so a crash counts no example twice.
/// </summary>
public interface IMetricsGrain : IPart, IGrainWithStringKey
{
    /// <summary>Adds a micro-batch's scores, once.</summary>
    ValueTask<PushReply> Push(MetricsPush push);

    /// <summary>The figures so far.</summary>
    ValueTask<MetricsReport> Report();
}

/// <summary>
/// Scores and labels of a micro-batch, n examples of t tasks in example-major order. Examples of one group were shown at
/// once: the grain scores the baseline for a whole group before the group's labels reach it.
/// </summary>
/// <param name="Span">What the push covers.</param>
/// <param name="Groups">Examples of each group, summing to n.</param>
/// <param name="Scores">float32 n × t: probabilities before learning.</param>
/// <param name="Labels">float32 n × t; NaN where a task says nothing.</param>
/// <param name="KeepRates">float32 n × t: share of negatives that sampling keeps, on positives too; 1 without.</param>
/// <param name="Weights">float32 n × t.</param>
/// <param name="ServedScores">
/// float32 n: probability of the first task when it was served; unknown where it is not in [0, 1], such as NaN.
/// </param>
/// <param name="BaselineKeys">uint64 n: value of the baseline feature; empty without a baseline.</param>
[GenerateSerializer, Immutable]
public sealed record MetricsPush(
    [property: Id(0)] PartitionSpan Span,
    [property: Id(1)] int[] Groups,
    [property: Id(2)] Block Scores,
    [property: Id(3)] Block Labels,
    [property: Id(4)] Block KeepRates,
    [property: Id(5)] Block Weights,
    [property: Id(6)] Block ServedScores,
    [property: Id(7)] Block BaselineKeys);

/// <summary>Figures of one learner on one task.</summary>
/// <param name="Examples">Examples with a label.</param>
/// <param name="Positives">Of these, positive.</param>
/// <param name="Auc">Area under the ROC curve; NaN while one class is missing.</param>
/// <param name="LogLoss">Mean log loss, natural logarithm.</param>
/// <param name="NormalizedEntropy">Log loss over the entropy of the base rate.</param>
/// <param name="Calibration">Σ predicted / Σ observed.</param>
[GenerateSerializer, Immutable]
public sealed record Quality(
    [property: Id(0)] long Examples,
    [property: Id(1)] long Positives,
    [property: Id(2)] double Auc,
    [property: Id(3)] double LogLoss,
    [property: Id(4)] double NormalizedEntropy,
    [property: Id(5)] double Calibration);

/// <summary>Figures of one task.</summary>
/// <param name="Task">Name of the task.</param>
/// <param name="Progressive">The trainer's scores before learning, from the beginning.</param>
/// <param name="ProgressiveWindow">The same over the newest window.</param>
/// <param name="Served">The scores that users were shown; the headline live. First task only, else null.</param>
/// <param name="ServedWindow">The same over the newest window.</param>
/// <param name="Baseline">Rate by value of the baseline feature, smoothed with 20 views at the base rate; null without one.</param>
/// <param name="BaselineWindow">The same over the newest window.</param>
[GenerateSerializer, Immutable]
public sealed record TaskQuality(
    [property: Id(0)] string Task,
    [property: Id(1)] Quality Progressive,
    [property: Id(2)] Quality ProgressiveWindow,
    [property: Id(3)] Quality? Served,
    [property: Id(4)] Quality? ServedWindow,
    [property: Id(5)] Quality? Baseline,
    [property: Id(6)] Quality? BaselineWindow);

/// <summary>Figures of all tasks.</summary>
/// <param name="Tasks">In the order of the specification.</param>
[GenerateSerializer, Immutable]
public sealed record MetricsReport([property: Id(0)] TaskQuality[] Tasks);
