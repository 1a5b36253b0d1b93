using System.Collections.Immutable;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Reads the network.</summary>
internal static class NetworkReader
{
    private static readonly Scalar<double> Positive = Scalars.Number(0, float.MaxValue, above: true);
    private static readonly Scalar<double> LearningRate = Scalars.Number(0, SpecLimits.LearningRate, above: true);
    private static readonly Scalar<double> Decay = Scalars.Number(0, 1, below: true);

    /// <summary>Reads a network.</summary>
    public static NetworkSpec Read(MapReader map) => map.ReadKind<NetworkSpec>(
        new DeepFmNetwork(),
        ("deepfm", m => new DeepFmNetwork { Hidden = Hidden(m), Optimizer = Optimizer(m) }));

    private static ImmutableArray<int> Hidden(MapReader map) => map.Has("hidden")
        ? map.Scalars("hidden", true, Scalars.Whole(1, SpecLimits.HiddenWidth))
        : new DeepFmNetwork().Hidden;

    private static DenseOptimizerSpec Optimizer(MapReader map) => map.Kind<DenseOptimizerSpec>(
        "optimizer", new AdamOptimizer(),
        ("sgd", m => new DenseSgd { LearningRate = Rate(m) }),
        ("adam", m => new AdamOptimizer
        {
            LearningRate = Rate(m),
            Beta1 = m.Single("beta1", Decay, 0.9f),
            Beta2 = m.Single("beta2", Decay, 0.999f),
            Epsilon = m.Single("epsilon", Positive, 1e-8f),
        }));

    private static float Rate(MapReader map) => map.Single("learning_rate", LearningRate, 0.001f);
}
