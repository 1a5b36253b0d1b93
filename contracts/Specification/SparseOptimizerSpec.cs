namespace Monolith.Contracts.Specification;

/// <summary>An optimizer of sparse rows. State lives in the row; formulas in docs/optimizers.md.</summary>
public abstract record SparseOptimizerSpec
{
    /// <summary>Learning rate; above 0.</summary>
    public float LearningRate { get; init; } = 0.05f;

    /// <summary>L2 decay added to the gradient; 0 or more.</summary>
    public float WeightDecay { get; init; }
}

/// <summary>w −= lr·g.</summary>
public sealed record SgdOptimizer : SparseOptimizerSpec;

/// <summary>n += g²; w −= lr·g/√n.</summary>
public sealed record AdagradOptimizer : SparseOptimizerSpec
{
    /// <summary>What n starts from; above 0.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;
}

/// <summary>FTRL-proximal (McMahan et al., 2013), per coordinate.</summary>
public sealed record FtrlOptimizer : SparseOptimizerSpec
{
    /// <summary>What n starts from; 0 or more.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;

    /// <summary>β of the per-coordinate learning rate.</summary>
    public float Beta { get; init; }

    /// <summary>L1 strength.</summary>
    public float L1 { get; init; }

    /// <summary>L2 strength.</summary>
    public float L2 { get; init; }
}

/// <summary>w = μw + (1−μ)·g: a moving average of what is pushed; μ = 0 assigns.</summary>
public sealed record MovingAverageOptimizer : SparseOptimizerSpec
{
    /// <summary>μ, from 0 to 1.</summary>
    public float Decay { get; init; } = 0.9f;
}
