using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Model.Optimizers;

/// <summary>u = g.</summary>
internal sealed class Sgd(DenseSgd spec, int length) : DenseOptimizer(length, spec.LearningRate)
{
    public override ReadOnlySpan<float> State => [];

    protected override void Direction(ReadOnlySpan<float> gradient, Span<float> direction) => gradient.CopyTo(direction);

    protected override void RestoreState(ReadOnlySpan<float> state)
    {
    }
}
