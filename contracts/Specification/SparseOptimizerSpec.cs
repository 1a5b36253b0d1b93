namespace Monolith.Contracts.Specification;

/// <summary>An optimizer of sparse rows. State lives in the row; formulas in docs/optimizers.md.</summary>
public abstract record SparseOptimizerSpec
{
    /// <summary>Learning rate; above 0.</summary>
    public float LearningRate { get; init; } = 0.05f;

    /// <summary>How the learning rate moves as the table learns.</summary>
    public LearningRateSchedule Schedule { get; init; } = new ConstantRate();

    /// <summary>L2 decay added to the gradient; 0 or more.</summary>
    public float WeightDecay { get; init; }
}

/// <summary>w −= lr·g.</summary>
public sealed record SgdOptimizer : SparseOptimizerSpec;

/// <summary>n = μn − lr·g; w += n, or with Nesterov's look-ahead w += −μ·n_old + (1+μ)·n.</summary>
public sealed record MomentumOptimizer : SparseOptimizerSpec
{
    /// <summary>μ, from 0 to 1.</summary>
    public float Momentum { get; init; } = 0.9f;

    /// <summary>Look ahead.</summary>
    public bool Nesterov { get; init; }
}

/// <summary>n += g²; w −= lr·g/√n.</summary>
public sealed record AdagradOptimizer : SparseOptimizerSpec
{
    /// <summary>What n starts from; above 0.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;

    /// <summary>Decay apart from the gradient: w −= lr·decay·w at each step; 0 or more.</summary>
    public float DecoupledDecay { get; init; }
}

/// <summary>One accumulator a row: n += mean(g²); w −= lr·g/√n.</summary>
public sealed record RowWiseAdagradOptimizer : SparseOptimizerSpec
{
    /// <summary>What n starts from; above 0.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;
}

/// <summary>a = ρa+(1−ρ)g²; u = √(d+ε)/√(a+ε)·g; w −= lr·u; d = ρd+(1−ρ)u² (Zeiler, 2012).</summary>
public sealed record AdadeltaOptimizer : SparseOptimizerSpec
{
    /// <summary>ρ, from 0 to 1.</summary>
    public float Rho { get; init; } = 0.9f;

    /// <summary>ε, above 0.</summary>
    public float Epsilon { get; init; } = 0.01f;
}

/// <summary>Adam with bias correction by each row's own number of steps (Kingma, Ba, 2015).</summary>
public sealed record SparseAdamOptimizer : SparseOptimizerSpec
{
    /// <summary>Decay of the first moment, from 0 to below 1.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Decay of the second moment, from 0 to below 1.</summary>
    public float Beta2 { get; init; } = 0.99f;

    /// <summary>ε beside the root, above 0.</summary>
    public float Epsilon { get; init; } = 0.01f;

    /// <summary>The numerator looks ahead: g(1−β1) + β1·m.</summary>
    public bool Nesterov { get; init; }

    /// <summary>The second moment never falls (Reddi, Kale, Kumar, 2018).</summary>
    public bool AmsGrad { get; init; }
}

/// <summary>w −= lr·g/(√n+1), where n is an average of g² or a decaying sum of it.</summary>
public sealed record RmsPropOptimizer : SparseOptimizerSpec
{
    /// <summary>μ, from 0 to 1.</summary>
    public float Momentum { get; init; } = 0.9f;

    /// <summary>False: n = μn+(1−μ)g². True: n = μn+g².</summary>
    public bool Sums { get; init; }
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

/// <summary>Adagrad whose rows as a whole go to zero (group lasso): G += max g²; η = lr/(β+√G).</summary>
public sealed record GroupAdagradOptimizer : SparseOptimizerSpec
{
    /// <summary>What G starts from; 0 or more.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;

    /// <summary>β, 0 or more; not 0 together with the accumulator.</summary>
    public float Beta { get; init; } = 1;

    /// <summary>Strength of the group penalty, 0 or more.</summary>
    public float L2 { get; init; }
}

/// <summary>FTRL whose rows as a whole go to zero: w = 0 where ‖z‖ is under L1.</summary>
public sealed record GroupFtrlOptimizer : SparseOptimizerSpec
{
    /// <summary>What n starts from; 0 or more.</summary>
    public float InitialAccumulator { get; init; } = 0.1f;

    /// <summary>β of the per-coordinate learning rate; not 0 together with the accumulator.</summary>
    public float Beta { get; init; }

    /// <summary>Strength of the group penalty, 0 or more.</summary>
    public float L1 { get; init; }

    /// <summary>L2 strength, 0 or more.</summary>
    public float L2 { get; init; }
}

/// <summary>w = μw + (1−μ)·g: a moving average of what is pushed; μ = 0 assigns.</summary>
public sealed record MovingAverageOptimizer : SparseOptimizerSpec
{
    /// <summary>μ, from 0 to 1.</summary>
    public float Decay { get; init; } = 0.9f;
}

/// <summary>
/// Estimates how many steps lie between two occurrences of an id (Yi et al., "Sampling-Bias-Corrected Neural Modeling",
/// 2019): B = (1−α)B + α(step − A), A = step; α is the learning rate, the gradient is not looked at.
/// </summary>
public sealed record BatchSoftmaxOptimizer : SparseOptimizerSpec;
