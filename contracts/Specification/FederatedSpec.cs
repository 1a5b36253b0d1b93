namespace Monolith.Contracts.Specification;

/// <summary>Which federated average (docs/federated.md).</summary>
public enum FederatedAlgorithm
{
    /// <summary>Plain averaging of local steps (β = 1).</summary>
    FedAvg,

    /// <summary>Momentum federated averaging (Cheng et al., 2306.16504).</summary>
    FedAvgM,
}

/// <summary>Federated averaging of the dense parameters.</summary>
public sealed record FederatedSpec
{
    /// <summary>The algorithm.</summary>
    public FederatedAlgorithm Algorithm { get; init; } = FederatedAlgorithm.FedAvg;

    /// <summary>K, micro-batches between two rounds.</summary>
    public int LocalSteps { get; init; } = 10;

    /// <summary>β, weight of the fresh step against the server's momentum; 1 is FedAvg.</summary>
    public float Beta { get; init; } = 1f;

    /// <summary>Server step as a multiple of ηK: 1 is plain averaging.</summary>
    public float ServerStep { get; init; } = 1f;

    /// <summary>A live round closes this long after its first report.</summary>
    public TimeSpan RoundDeadline { get; init; } = TimeSpan.FromMilliseconds(200);
}
