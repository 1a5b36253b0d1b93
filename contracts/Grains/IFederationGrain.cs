using Monolith.Contracts.Blocks;

namespace Monolith.Contracts.Grains;

/// <summary>
/// The dense parameters of a model and the rounds in which workers meet; key <c>model</c>. Parameters are one flat float32
/// vector in the order of <c>DenseLayout</c>.
/// </summary>
public interface IFederationGrain : IPart, IGrainWithStringKey
{
    /// <summary>A worker comes in, or comes back: it takes part from the next round on.</summary>
    ValueTask<DenseState> Join(string worker, RoundMode mode);

    /// <summary>
    /// Contributes a worker's local steps and waits for the round to close. A report after the deadline joins the next
    /// round. A report whose spans do not continue what was applied changes nothing and says so.
    /// </summary>
    ValueTask<RoundReply> Report(RoundReport report);

    /// <summary>A worker has nothing more to contribute; rounds no longer wait for it.</summary>
    ValueTask Leave(string worker);

    /// <summary>Round, rows of state, workers.</summary>
    ValueTask<FederationStatus> Status();
}

/// <summary>When a round closes.</summary>
public enum RoundMode
{
    /// <summary>When every worker that joined has reported: reading history, so that a replay is reproducible.</summary>
    Lockstep,

    /// <summary>When all have, or the deadline after the first report passes: live.</summary>
    Deadline,
}

/// <summary>Dense parameters after a round.</summary>
/// <param name="Round">r.</param>
/// <param name="Parameters">float32 xʳ.</param>
/// <param name="Momentum">float32 gʳ; empty unless the algorithm has one.</param>
/// <param name="OptimizerState">
/// What a joining worker's local optimizer starts from (float32, layout is the worker's): its own last reported state, else
/// the mean of the others', else empty.
/// </param>
[GenerateSerializer, Immutable]
public sealed record DenseState(
    [property: Id(0)] long Round,
    [property: Id(1)] Block Parameters,
    [property: Id(2)] Block Momentum,
    [property: Id(3)] Block OptimizerState);

/// <summary>A worker's contribution to a round.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="BaseRound">The round its local steps started from.</param>
/// <param name="Steps">Local steps taken, K when the round is full; 0 contributes offsets only.</param>
/// <param name="Difference">float32 xʳ − xᵢ.</param>
/// <param name="OptimizerState">float32 local optimizer state, kept with the dense state.</param>
/// <param name="Spans">For each of the worker's partitions, what the steps covered.</param>
[GenerateSerializer, Immutable]
public sealed record RoundReport(
    [property: Id(0)] string Worker,
    [property: Id(1)] long BaseRound,
    [property: Id(2)] int Steps,
    [property: Id(3)] Block Difference,
    [property: Id(4)] Block OptimizerState,
    [property: Id(5)] PartitionSpan[] Spans)
{
    /// <summary>Examples that the steps learned from: the weight of the report. One per step unless stated.</summary>
    [Id(6)]
    public long Examples { get; init; } = Steps;
}

/// <summary>The answer to a report.</summary>
/// <param name="Outcome">Applied, or why not.</param>
/// <param name="State">The state after the round; the caller disposes its blocks. Its optimizer state is empty.</param>
/// <param name="SlowestThrough">
/// How far the slowest worker of the round has come: the smallest of their offsets, each worker's being that of its foremost
/// partition. Over history, where offsets count in one order, workers keep near it. The largest long when nobody knows.
/// </param>
[GenerateSerializer, Immutable]
public sealed record RoundReply(
    [property: Id(0)] PushOutcome Outcome, [property: Id(1)] DenseState State, [property: Id(2)] long SlowestThrough = long.MaxValue);

/// <summary>State of the federation.</summary>
/// <param name="Round">Rounds closed.</param>
/// <param name="Workers">Workers that joined and did not leave.</param>
/// <param name="WatermarkMs">Emission time every partition has learned through.</param>
[GenerateSerializer, Immutable]
public sealed record FederationStatus(
    [property: Id(0)] long Round,
    [property: Id(1)] string[] Workers,
    [property: Id(2)] long WatermarkMs);
