using Monolith.Contracts.Specification;

namespace Monolith.Silos.Tests.Support;

/// <summary>A small model: two tables, one of them with expiry, two shards.</summary>
public static class SomeModels
{
    public static ModelSpec Small { get; } = new()
    {
        Name = "small",
        Seed = 7,
        PartitionBy = "user",
        Shards = 2,
        Features =
        [
            new CategoricalFeature { Name = "user", Source = "user", Table = "users" },
            new CategoricalFeature { Name = "item", Source = "item", Table = "items" },
        ],
        Tables =
        [
            new TableSpec { Name = "users", Segments = [Bias, Vector(4)] },
            new TableSpec { Name = "items", Segments = [Bias, Vector(4)], Expiry = TimeSpan.FromHours(1) },
        ],
        Network = new DeepFmNetwork { Hidden = [8] },
        Tasks = [new TaskSpec { Name = "click", Label = "click", BaseRate = 0.1 }],
        Training = new TrainingSpec { Baseline = "item" },
        Sync = new SyncSpec { Interval = TimeSpan.FromMilliseconds(20), SnapshotInterval = TimeSpan.FromMinutes(10) },
    };

    private static SegmentSpec Bias => new() { Dimension = 1, Optimizer = new FtrlOptimizer { LearningRate = 0.1f } };

    private static SegmentSpec Vector(int dimension) => new()
    {
        Dimension = dimension,
        Initializer = new UniformInitializer(-0.01f, 0.01f),
        Optimizer = new AdagradOptimizer { LearningRate = 0.1f },
    };
}
