using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests.Optimizers;

/// <summary>Values that Monolith's release computes for the same pushes.</summary>
public sealed class PublishedVectorsTests
{
    public static TheoryData<SparseOptimizerSpec, float, float> Twice => new()
    {
        { new FtrlOptimizer { LearningRate = 0.01f }, -0.009995f, -0.0170643f },
        { new MovingAverageOptimizer(), 1.0f, 1.9f },
        { new MomentumOptimizer { LearningRate = 0.01f }, -0.1f, -0.29f },
        { new AdadeltaOptimizer { LearningRate = 0.01f }, -0.0031607f, -0.0064035f },
        { new SparseAdamOptimizer { LearningRate = 0.01f }, -0.00990099f, -0.0198306f },
        { new SparseAdamOptimizer { LearningRate = 0.01f, AmsGrad = true }, -0.00990099f, -0.0198306f },
        { new RmsPropOptimizer { LearningRate = 0.01f }, -0.024025f, -0.042686f },
        { new RmsPropOptimizer { LearningRate = 0.01f, Sums = true }, -0.0090909f, -0.0158549f },
        { new SgdOptimizer { LearningRate = 0.01f }, -0.1f, -0.2f },
    };

    [Theory]
    [MemberData(nameof(Twice))]
    public void A_gradient_of_ten_pushed_twice_gives_the_published_values(SparseOptimizerSpec optimizer, float once, float twice)
    {
        foreach (var dimension in new[] { 1, 3, 16, 21 })
        {
            using var table = new EmbeddingTable(Specs.Table(Specs.Segment(dimension, optimizer)), seed: 1);
            var gradient = Enumerable.Repeat(10f, dimension).ToArray();
            table.Push(7, gradient);
            Assert.All(table.Read(7), value => Assert.Equal(once, value, 2e-6f));
            table.Push(7, gradient);
            Assert.All(table.Read(7), value => Assert.Equal(twice, value, 2e-6f));
        }
    }

    [Fact]
    public void Group_adagrad_takes_the_published_steps()
    {
        var optimizer = new GroupAdagradOptimizer { LearningRate = 0.01f, L2 = 1, Beta = 1, InitialAccumulator = 0 };
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(1, optimizer)), seed: 1);
        table.Push(7, [10]);
        Assert.Equal(-0.008182f, table.Read(7)[0], 2e-6f);
        table.Push(7, [10]);
        Assert.Equal(-0.014125f, table.Read(7)[0], 2e-6f);
    }

    [Fact]
    public void Adagrad_takes_the_published_step()
    {
        var spec = Specs.Table(Specs.Segment(2, new AdagradOptimizer { LearningRate = 0.1f, InitialAccumulator = 1 }));
        using var table = new EmbeddingTable(spec, seed: 1);
        table.Push(0, [1, 2]);
        Assert.Equal(-0.0707107f, table.Read(0)[0], 1e-6f);
        Assert.Equal(-0.0894427f, table.Read(0)[1], 1e-6f);
    }
}
