using System.Text.Json;
using Monolith.Contracts.Specification;

namespace Monolith.Contracts.Tests.Specification;

public sealed class SpecJsonTests
{
    private static readonly ModelSpec Everything = new()
    {
        Name = "everything",
        Seed = ulong.MaxValue,
        PartitionBy = "user",
        Shards = 2,
        Source = new SourceSpec { Request = ["r"], Time = "t", TimeUnit = TimeUnit.Milliseconds, Item = "i" },
        Tables =
        [
            new TableSpec
            {
                Name = "a",
                Expiry = TimeSpan.FromHours(36),
                Admission = new AdmitAfter(3),
                Segments =
                [
                    new SegmentSpec { Dimension = 1, Optimizer = new FtrlOptimizer { L1 = 0.3f, L2 = 0.1f, Beta = 1 } },
                    new SegmentSpec { Dimension = 3, Initializer = new ConstantInitializer(0.1f), Optimizer = new SgdOptimizer { LearningRate = 0.7f } },
                ],
            },
            new TableSpec
            {
                Name = "c",
                Admission = new AdmitByChance(9),
                Unseen = UnseenValue.Zeros,
                Precision = RowPrecision.BFloat16,
                Budget = new BudgetSpec { MaxRows = 1000, Evict = EvictionOrder.SmallestNorm },
                Segments =
                [
                    new SegmentSpec
                    {
                        Dimension = 1,
                        Optimizer = new SparseAdamOptimizer { AmsGrad = true, Schedule = new PolynomialDecay(9, 0.1f, 2) },
                        Initializer = new TruncatedNormalInitializer(0.5f, 0.25f),
                        ServingPrecision = RowPrecision.Float16,
                    },
                    new SegmentSpec { Dimension = 3, Optimizer = new GroupFtrlOptimizer { L1 = 0.5f, Schedule = new CosineDecay(7) } },
                ],
            },
            new TableSpec
            {
                Name = "d",
                Admission = new AdmitByShare(9),
                Budget = new BudgetSpec { MaxBytes = 1 << 30, Evict = EvictionOrder.LeastFrequentlyUsed },
                Segments =
                [
                    new SegmentSpec { Dimension = 1, Optimizer = new BatchSoftmaxOptimizer { Schedule = new LinearWarmUp(3) } },
                    new SegmentSpec { Dimension = 3, Optimizer = new MomentumOptimizer { Nesterov = true, Schedule = new ExponentialDecay(5, 0.5f) } },
                ],
            },
            new TableSpec
            {
                Name = "e",
                Segments =
                [
                    new SegmentSpec { Dimension = 1, Optimizer = new RmsPropOptimizer { Sums = true } },
                    new SegmentSpec { Dimension = 3, Optimizer = new AdadeltaOptimizer { Rho = 0.5f } },
                ],
            },
            new TableSpec
            {
                Name = "f",
                Segments =
                [
                    new SegmentSpec { Dimension = 1, Optimizer = new GroupAdagradOptimizer { L2 = 0.5f } },
                    new SegmentSpec { Dimension = 3, Optimizer = new RowWiseAdagradOptimizer { InitialAccumulator = 0.5f } },
                ],
            },
            new TableSpec
            {
                Name = "b",
                Segments =
                [
                    new SegmentSpec { Dimension = 1, Optimizer = new MovingAverageOptimizer { Decay = 0.5f } },
                    new SegmentSpec { Dimension = 3, Initializer = new UniformInitializer(-1, 1), Optimizer = new AdagradOptimizer { WeightDecay = 0.01f } },
                ],
            },
        ],
        Features =
        [
            new CategoricalFeature { Name = "user", Source = "user", Table = "a", ScoreAs = "x", Combiner = Combiner.Mean },
            new CategoricalFeature { Name = "tags", Source = "t", Table = "b", Separator = "; ", Combiner = Combiner.SqrtN },
            new CategoricalFeature { Name = "price", Source = "p", Table = "b", Bucketize = new LogBuckets(4) },
            new CategoricalFeature { Name = "age", Source = "p", Table = "b", Bucketize = new BoundaryBuckets([0.5, 2]) },
            new CrossFeature { Name = "cross", Of = ["user", "age"], Table = "a" },
            new NumericFeature { Name = "n", Source = "p", ScoreAs = "1", Transforms = [new LogTransform(), new StandardizeTransform(0.1, 3), new ClipTransform(-1, 1)] },
        ],
        Network = new DeepFmNetwork { Hidden = [7, 5], Optimizer = new AdamOptimizer { LearningRate = 0.003f, Epsilon = 1e-7f } },
        Tasks = [new TaskSpec { Name = "click", Label = "click", BaseRate = 0.01, LossWeight = 2 }, Buy],
        Join = new JoinSpec { Windows = [new KindWindow("purchase", TimeSpan.FromDays(1))] },
        Training = new TrainingSpec { MicroBatch = 3, Baseline = "price", PartialAfter = TimeSpan.FromMilliseconds(1500) },
        Federated = new FederatedSpec { Algorithm = FederatedAlgorithm.FedAvgM, Beta = 0.1f, ServerStep = 0.5f },
    };

    private static TaskSpec Buy => new()
    {
        Name = "buy",
        Label = "bought",
        Actions =
        [
            new ActionRule { Kind = "purchase", WeightIsValue = true, MaxWeight = 20 },
            new ActionRule { Kind = "hide", IsPositive = false, Weight = 2 },
            new ActionRule { Kind = "view", AtLeast = 30, Below = 1e6 },
        ],
        KeepNegatives = 0.1,
    };

    [Fact]
    public void The_resolved_form_loads_as_the_same_specification()
    {
        var json = SpecJson.Of(Everything).ToJsonString();
        Assert.Equal(json, SpecJson.Of(ModelSpecFile.Parse(json, "resolved")).ToJsonString());
        var dense = Everything with { Network = new DeepFmNetwork { Optimizer = new DenseSgd { LearningRate = 0.4f } } };
        var denseJson = SpecJson.Of(dense).ToJsonString();
        Assert.Equal(denseJson, SpecJson.Of(ModelSpecFile.Parse(denseJson, "resolved")).ToJsonString());
    }

    [Fact]
    public void Keys_are_snake_case_and_floats_short()
    {
        var json = SpecJson.Of(Everything);
        Assert.Equal(0.003, json["network"]!["optimizer"]!["learning_rate"]!.GetValue<double>());
        Assert.Equal("36h", json["tables"]![0]!["expiry"]!.GetValue<string>());
        Assert.DoesNotContain(JsonSerializer.Serialize(json).Split('"'), key => key.Any(char.IsUpper) && key.All(char.IsLetter));
    }
}
