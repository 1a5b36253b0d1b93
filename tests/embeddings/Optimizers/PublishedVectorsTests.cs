using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests.Optimizers;

/// <summary>
/// Values that Monolith's release expects of its optimizers for the same pushes (its *_optimizer_test.cc). It publishes none for
/// group FTRL, Nesterov's momentum, decoupled decay and row-wise Adagrad: <see cref="FormulaTests"/> holds those to their formulas
/// in double precision.
/// </summary>
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

    /// <summary>Rows of two values, gradients (10, 1) twice: what the first value does must not show in the second.</summary>
    public static TheoryData<SparseOptimizerSpec, float[], float[]> Pairs => new()
    {
        { new FtrlOptimizer { LearningRate = 0.01f }, [-0.009995f, -0.00953463f], [-0.0170643f, -0.0164353f] },
        { new MovingAverageOptimizer(), [1.0f, 0.1f], [1.9f, 0.19f] },
        { new MomentumOptimizer { LearningRate = 0.01f }, [-0.1f, -0.01f], [-0.29f, -0.029f] },
        { new AdadeltaOptimizer { LearningRate = 0.01f }, [-0.0031607f, -0.0030151f], [-0.0064035f, -0.0061047f] },
        { new SparseAdamOptimizer { LearningRate = 0.01f }, [-0.00990099f, -0.00909091f], [-0.0198306f, -0.01842895f] },
        { new SparseAdamOptimizer { LearningRate = 0.01f, AmsGrad = true }, [-0.00990099f, -0.00909091f], [-0.0198306f, -0.01842895f] },
        { new RmsPropOptimizer { LearningRate = 0.01f, Sums = true }, [-0.0090909f, -0.005f], [-0.0158549f, -0.0092045f] },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Each_value_of_a_row_takes_its_own_published_steps(SparseOptimizerSpec optimizer, float[] once, float[] twice) =>
        Follow(optimizer, ([10, 1], once), ([10, 1], twice));

    [Fact]
    public void Adagrad_with_weight_decay_takes_the_published_steps() => Follow(
        new AdagradOptimizer { LearningRate = 0.1f, InitialAccumulator = 1, WeightDecay = 0.1f },
        ([1, 2], [-0.07071067f, -0.08944272f]),
        ([1, 2], [-0.128173f, -0.155943f]));

    [Fact]
    public void Group_adagrad_takes_the_published_steps_as_a_group() => Follow(
        new GroupAdagradOptimizer { LearningRate = 0.01f, L2 = 0.5f, Beta = 1, InitialAccumulator = 0 },
        ([10, 1], [-0.008639f, -0.000864f]),
        ([1, 5], [-0.009096f, -0.004778f]));

    [Theory]
    [InlineData(0, -0.009091f, -0.000909f)]
    [InlineData(1000, 0, 0)]
    public void Group_adagrad_takes_the_published_steps_at_both_ends_of_its_penalty(float penalty, float first, float second) => Follow(
        new GroupAdagradOptimizer { LearningRate = 0.01f, L2 = penalty, Beta = 1, InitialAccumulator = 0 },
        ([10, 1], [first, second]));

    [Fact]
    public void Batch_softmax_takes_the_published_step() => Follow(new BatchSoftmaxOptimizer { LearningRate = 0.1f }, ([2], [0.1f]));

    private static void Follow(SparseOptimizerSpec optimizer, params (float[] Gradient, float[] Expected)[] steps)
    {
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(steps[0].Gradient.Length, optimizer)), seed: 1);
        foreach (var (gradient, expected) in steps)
        {
            table.Push(7, gradient);
            Assert.Equal(expected, table.Read(7), (a, b) => MathF.Abs(a - b) < 2e-6f);
        }
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
