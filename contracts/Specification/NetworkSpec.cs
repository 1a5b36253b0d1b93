using System.Collections.Immutable;

namespace Monolith.Contracts.Specification;

/// <summary>The network over pooled vectors and numbers.</summary>
public abstract record NetworkSpec
{
    /// <summary>Widths of the hidden layers, from the input to the output.</summary>
    public ImmutableArray<int> Hidden { get; init; } = [64, 32];

    /// <summary>The optimizer of the dense parameters.</summary>
    public DenseOptimizerSpec Optimizer { get; init; } = new AdamOptimizer();
}

/// <summary>
/// DeepFM (Guo et al., 2017): logit = bias + Σ first-order weights + factorization machine + MLP. Rows are one segment of
/// width 1 (first-order weight) and one of width k (vector); every table has the same k.
/// </summary>
public sealed record DeepFmNetwork : NetworkSpec;

/// <summary>An optimizer of dense parameters.</summary>
public abstract record DenseOptimizerSpec
{
    /// <summary>Local learning rate η; above 0.</summary>
    public float LearningRate { get; init; } = 0.001f;
}

/// <summary>w −= η·g.</summary>
public sealed record DenseSgd : DenseOptimizerSpec;

/// <summary>Adam (Kingma and Ba, 2015).</summary>
public sealed record AdamOptimizer : DenseOptimizerSpec
{
    /// <summary>Decay of the first moment.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Decay of the second moment.</summary>
    public float Beta2 { get; init; } = 0.999f;

    /// <summary>Added to the denominator.</summary>
    public float Epsilon { get; init; } = 1e-8f;
}
