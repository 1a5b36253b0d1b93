using System.Runtime.InteropServices;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Federation;

/// <summary>The dense parameters with everything that belongs to them: momentum, round, the workers' optimizers, offsets.</summary>
public sealed class DenseModel : ISyncedState
{
    private readonly ModelSpec _spec;
    private readonly float[] _parameters;
    private readonly float[] _momentum;
    private readonly WorkerStates _workers = new();
    private readonly ServerUpdate _update;
    private bool _parametersChanged;

    /// <summary>The initial values that the specification and its seed determine.</summary>
    public DenseModel(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _spec = spec;
        var layout = DenseLayout.Of(spec);
        _parameters = new float[layout.Length];
        _momentum = spec.Federated.Algorithm == FederatedAlgorithm.FedAvgM ? new float[layout.Length] : [];
        _update = new ServerUpdate(layout.Length);
        layout.Initialize(spec, _parameters);
        Layout = SpecLayout.Of(spec).Lines;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Layout { get; }

    /// <inheritdoc/>
    public AppliedOffsets Offsets { get; private set; } = new();

    /// <inheritdoc/>
    public long Version { get; private set; }

    /// <inheritdoc/>
    public bool HasDelta => _parametersChanged;

    /// <summary>Rounds closed.</summary>
    public long Round { get; private set; }

    /// <summary>xʳ.</summary>
    public ReadOnlySpan<float> Parameters => _parameters;

    /// <summary>gʳ; empty without momentum.</summary>
    public ReadOnlySpan<float> Momentum => _momentum;

    /// <summary>What a joining worker's optimizer starts from.</summary>
    public ReadOnlySpan<float> OptimizerStart(string worker) => _workers.StartOf(worker);

    /// <summary>What would become of a report: applied only if each of its spans continues the chain.</summary>
    public PushOutcome Check(RoundReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (report.Spans.Length == 0)
        {
            return PushOutcome.Applied;
        }

        var outcomes = (Applied: 0, Behind: 0);
        foreach (var span in report.Spans)
        {
            switch (Offsets.Check(span))
            {
                case PushOutcome.Fenced:
                    return PushOutcome.Fenced;
                case PushOutcome.Applied:
                    outcomes.Applied++;
                    break;
                case PushOutcome.AlreadyApplied:
                    outcomes.Behind++;
                    break;
            }
        }

        return outcomes.Applied == report.Spans.Length ? PushOutcome.Applied
            : outcomes.Behind == report.Spans.Length ? PushOutcome.AlreadyApplied
            : PushOutcome.Gap;
    }

    /// <summary>Adds a report to the open round; it counts once the round is closed.</summary>
    /// <returns><see cref="Check"/>; only an applied one was added.</returns>
    public PushOutcome Add(RoundReport report)
    {
        var outcome = Check(report);
        if (outcome == PushOutcome.Applied)
        {
            // First: what fails from here on leaves the state in doubt.
            Version += report.Steps > 0 || Array.Exists(report.Spans, span => span.Moves) ? 1 : 0;
            foreach (var span in report.Spans)
            {
                Offsets.TryApply(span);
            }

            if (report.Steps > 0)
            {
                _update.Add(report.Difference.As<float>(), report.Steps, report.Examples);
            }

            _workers.Keep(report.Worker, report.OptimizerState.As<float>(), Round);
        }

        return outcome;
    }

    /// <summary>Closes the round: the server's step over what was added.</summary>
    public void CloseRound()
    {
        var learned = _update.HasExamples; // rounds close while nobody learns, too
        _update.Close(_parameters, _momentum, _spec.Federated.ServerStep, _spec.Network.Optimizer.LearningRate);
        Round++;
        Version += learned ? 1 : 0;
        _parametersChanged |= learned;
    }

    /// <inheritdoc/>
    public Delta? TakeDelta(long epoch, long sequence)
    {
        _parametersChanged = false;
        DeltaTable[] tables = [new DeltaTable(1, 0, ServedRow.Floats(_parameters.Length))];
        if (Delta.LengthOf(tables) > Delta.DenseBytesMax)
        {
            return null;
        }

        var delta = Delta.Create(
            _spec.Name, RedisNames.Dense, epoch, sequence - 1, sequence, Offsets.WatermarkMs, tables);
        delta.Ids(0)[0] = 0;
        MemoryMarshal.AsBytes<float>(_parameters).CopyTo(delta.Rows(0));
        delta.Seal();
        return delta;
    }

    /// <inheritdoc/>
    public IStateCopy BeginCopy(bool increment) => new WholeCopy(Save);

    /// <inheritdoc/>
    public void Load(Stream stream, AppliedOffsets offsets)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(offsets);
        Round = DenseSnapshot.Read(stream, _parameters);
        var length = 0;
        stream.ReadExactly(MemoryMarshal.AsBytes(new Span<int>(ref length)));
        var momentum = length == _momentum.Length ? _momentum : new float[length]; // another algorithm now: g starts from 0
        stream.ReadExactly(MemoryMarshal.AsBytes(momentum.AsSpan()));
        _workers.Load(stream);
        Offsets = offsets;
    }

    private void Save(Stream stream)
    {
        DenseSnapshot.Write(stream, Round, _parameters);
        var length = _momentum.Length;
        stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
        stream.Write(MemoryMarshal.AsBytes<float>(_momentum));
        _workers.Save(stream);
    }
}
