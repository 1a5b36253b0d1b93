using System.Numerics.Tensors;
using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Model.Optimizers;

/// <summary>
/// A local optimizer of the flat dense vector. It gives a direction u from the plain gradient; the step is
/// <c>x ← x − η·(β·u + (1−β)·gʳ)</c>, so that the server's momentum enters after preconditioning (docs/federated.md), and
/// β = 1 is the optimizer by itself.
/// </summary>
/// <param name="length">Values of the dense vector.</param>
/// <param name="learningRate">η.</param>
public abstract class DenseOptimizer(int length, float learningRate)
{
    private readonly float[] _direction = new float[length];

    /// <summary>η.</summary>
    public float LearningRate { get; } = learningRate;

    /// <summary>State as it travels in reports and snapshots; empty for an optimizer without one.</summary>
    public abstract ReadOnlySpan<float> State { get; }

    /// <summary>Creates a specification's optimizer.</summary>
    /// <param name="spec">Which one.</param>
    /// <param name="length">Values of the dense vector.</param>
    public static DenseOptimizer Create(DenseOptimizerSpec spec, int length) => spec switch
    {
        AdamOptimizer adam => new Adam(adam, length),
        DenseSgd sgd => new Sgd(sgd, length),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec, "the trainer has no such optimizer"),
    };

    /// <summary>Takes one step.</summary>
    /// <param name="parameters">x, changed in place.</param>
    /// <param name="gradient">∇F(x).</param>
    /// <param name="beta">β, weight of the fresh direction.</param>
    /// <param name="momentum">gʳ; empty is zero.</param>
    public void Step(Span<float> parameters, ReadOnlySpan<float> gradient, float beta, ReadOnlySpan<float> momentum)
    {
        Direction(gradient, _direction);
        TensorPrimitives.MultiplyAdd(_direction, -LearningRate * beta, parameters, parameters);
        if (beta != 1 && !momentum.IsEmpty)
        {
            TensorPrimitives.MultiplyAdd(momentum, -LearningRate * (1 - beta), parameters, parameters);
        }
    }

    /// <summary>Takes over a state of <see cref="State"/>'s form; an empty one starts from scratch.</summary>
    /// <returns>False if it is of another optimizer or network (its length says so): then this one starts from scratch too.</returns>
    public bool TryRestore(ReadOnlySpan<float> state)
    {
        var fits = state.IsEmpty || state.Length == State.Length;
        RestoreState(fits ? state : []);
        return fits;
    }

    /// <summary>Computes u and moves the state on.</summary>
    protected abstract void Direction(ReadOnlySpan<float> gradient, Span<float> direction);

    /// <summary>Copies a state of the right length, or starts from scratch.</summary>
    protected abstract void RestoreState(ReadOnlySpan<float> state);
}
