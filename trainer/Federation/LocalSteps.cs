using System.Numerics.Tensors;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Batches;
using Monolith.Trainer.Model;
using Monolith.Trainer.Model.Optimizers;

namespace Monolith.Trainer.Federation;

/// <summary>
/// A worker's replica of the dense parameters: local steps from the last round's xʳ, and what of them goes into the next.
/// One thread at a time.
/// </summary>
/// <remarks>
/// Steps may go on while a report is under way: when its round comes back as xʳ⁺¹, what was learned since the report is put
/// on top of it, <c>x ← xʳ⁺¹ + (x − x_reported)</c>, and is part of the next report's difference. A live worker so never
/// waits for others; over history it does, and the term is zero.
/// </remarks>
internal sealed class LocalSteps : IDisposable
{
    // Squares of gradients, which optimizers keep, are finite up to here.
    private const float SoundMax = 1e15f;
    private readonly DeepFm _model;
    private readonly DenseOptimizer _optimizer;
    private readonly float _beta;
    private readonly float[] _base;
    private readonly float[] _reported;
    private float[] _momentum = [];
    private int _reportedSteps;
    private long _examples;
    private long _reportedExamples;

    /// <summary>Builds the network with its initial parameters; <see cref="Begin"/> replaces them by the model's.</summary>
    public LocalSteps(ModelSpec spec)
    {
        _model = new DeepFm(spec);
        var length = _model.Layout.Length;
        _optimizer = DenseOptimizer.Create(spec.Network.Optimizer, length);
        _beta = spec.Federated.Algorithm == FederatedAlgorithm.FedAvgM ? spec.Federated.Beta : 1f;
        _base = new float[length];
        _reported = new float[length];
    }

    /// <summary>r, the round the steps started from.</summary>
    public long Round { get; private set; }

    /// <summary>Steps taken and not yet reported.</summary>
    public int Steps { get; private set; }

    /// <summary>Takes over the model's dense state; local steps that are in no round are dropped.</summary>
    /// <returns>False if the optimizer's state is of another optimizer, so that it starts from scratch.</returns>
    /// <exception cref="InvalidDataException">The parameters are of another network.</exception>
    public bool Begin(DenseState state)
    {
        using var parameters = state.Parameters;
        using var momentum = state.Momentum;
        using var optimizer = state.OptimizerState;
        Take(state.Round, parameters, momentum);
        _base.CopyTo(_model.Parameters);
        (Steps, _reportedSteps) = (0, 0);
        (_examples, _reportedExamples) = (0, 0);
        return _optimizer.TryRestore(optimizer.As<float>());
    }

    /// <summary>Moves on to the newest round without local steps of one's own; the local optimizer stays.</summary>
    public void Refresh(DenseState state)
    {
        using var parameters = state.Parameters;
        using var momentum = state.Momentum;
        using var optimizer = state.OptimizerState;
        Take(state.Round, parameters, momentum);
        _base.CopyTo(_model.Parameters);
    }

    /// <summary>Scores a batch, computes its row gradients, and takes a dense step if the dense parameters are to learn from it.</summary>
    /// <returns>Examples that were left out because learning from them gave values beyond all measure; 0 as a rule.</returns>
    public int Learn(MicroBatch batch)
    {
        _model.Learn(batch.Features, batch.Ids.Rows, batch.Rows, batch.Targets, batch.Scores, batch.RowGradients);
        var leftOut = IsSound(_model.Gradient) && IsSound(batch.RowGradients) && IsSound(batch.Scores) ? 0 : batch.LeaveOut();
        if (batch.Partition.DenseThrough <= batch.From)
        {
            if (batch.Count > 0)
            {
                _optimizer.Step(_model.Parameters, _model.Gradient, _beta, _momentum);
                Steps++;
                _examples += batch.Count;
            }

            batch.Partition.DenseThrough = batch.Through;
            batch.Partition.DenseWatermarkMs = batch.WatermarkMs;
        }

        return leftOut;
    }

    /// <summary>Makes the report of all steps since the last one.</summary>
    /// <param name="worker">Who reports.</param>
    /// <param name="spans">What the steps covered.</param>
    public RoundReport Report(string worker, PartitionSpan[] spans)
    {
        _model.Parameters.CopyTo(_reported);
        (_reportedSteps, _reportedExamples) = (Steps, _examples);
        if (Steps == 0)
        {
            return new RoundReport(worker, Round, 0, Block.Empty, Block.Empty, spans);
        }

        var difference = Block.Rent<float>(_base.Length);
        TensorPrimitives.Subtract(_base, _reported, difference.As<float>());
        return new RoundReport(worker, Round, Steps, difference, Block.Of(_optimizer.State), spans) { Examples = _examples };
    }

    /// <summary>Goes on from the round that took the report in.</summary>
    public void Continue(DenseState state)
    {
        using var parameters = state.Parameters;
        using var momentum = state.Momentum;
        using var optimizer = state.OptimizerState;
        Take(state.Round, parameters, momentum);
        var values = _model.Parameters;
        TensorPrimitives.Subtract(values, _reported, values);
        TensorPrimitives.Add(values, _base, values);
        Steps -= _reportedSteps;
        _examples -= _reportedExamples;
        (_reportedSteps, _reportedExamples) = (0, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();

    // False for NaN too.
    private static bool IsSound(ReadOnlySpan<float> values) =>
        values.IsEmpty || Math.Abs(TensorPrimitives.MaxMagnitude(values)) < SoundMax;

    private void Take(long round, Block parameters, Block momentum)
    {
        if (parameters.Length != _base.Length * sizeof(float))
        {
            throw new InvalidDataException(
                $"the dense state has {parameters.Length} bytes where the specification's network has {_base.Length * sizeof(float)}");
        }

        Round = round;
        parameters.As<float>().CopyTo(_base);
        if (_momentum.Length * sizeof(float) != momentum.Length)
        {
            _momentum = new float[momentum.Length / sizeof(float)];
        }

        momentum.As<float>().CopyTo(_momentum);
    }
}
