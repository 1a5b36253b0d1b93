using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Optimizers;

namespace Monolith.Embeddings.Tests.Optimizers;

/// <summary>The machine's vectors and the scalar twin take the same steps.</summary>
public sealed unsafe class LaneTwinsTests
{
    /// <summary>Every optimizer and what makes it another one; all but batch softmax come in lanes.</summary>
    internal static SparseOptimizerSpec[] EveryOptimizer => [.. Laned, new BatchSoftmaxOptimizer { LearningRate = 0.1f }];

    public static TheoryData<SparseOptimizerSpec> All => [.. Laned];

    private static SparseOptimizerSpec[] Laned =>
    [
        new SgdOptimizer(), new SgdOptimizer { WeightDecay = 0.1f }, new MomentumOptimizer(), new MomentumOptimizer { Nesterov = true },
        new AdagradOptimizer(), new AdagradOptimizer { DecoupledDecay = 0.1f, WeightDecay = 0.1f }, new RowWiseAdagradOptimizer(),
        new AdadeltaOptimizer(), new SparseAdamOptimizer(), new SparseAdamOptimizer { AmsGrad = true, Nesterov = true },
        new RmsPropOptimizer(), new RmsPropOptimizer { Sums = true }, new FtrlOptimizer { L1 = 0.3f, L2 = 0.1f, Beta = 1 },
        new GroupAdagradOptimizer { L2 = 0.5f }, new GroupFtrlOptimizer { L1 = 0.8f, L2 = 0.1f }, new MovingAverageOptimizer(),
    ];

    [Theory]
    [MemberData(nameof(All))]
    public void Vectors_and_scalars_agree(SparseOptimizerSpec optimizer)
    {
        // Sums over a row come in another order, so they agree but for rounding.
        var tolerance = optimizer is RowWiseAdagradOptimizer or GroupAdagradOptimizer or GroupFtrlOptimizer ? 2e-4f : 0;
        Gen.Select(Gen.Int[1, 40], Gen.Float[-2, 2].Array[40], Gen.Float[-2, 2].Array[120]).Sample(
            (dimension, start, gradients) =>
            {
                var segment = Specs.Segment(dimension, optimizer);
                var scalar = Run(SegmentUpdaters.Create<ScalarLane>(segment), start, gradients);
                Agree<VectorLane>(segment);
                Agree<PairLane<ScalarLane>>(segment);
                Agree<PairLane<PairLane<ScalarLane>>>(segment);
                Agree<PairLane<VectorLane>>(segment);

                void Agree<TLane>(SegmentSpec segment)
                    where TLane : struct, ILane<TLane>
                {
                    var vector = Run(SegmentUpdaters.Create<TLane>(segment), start, gradients);
                    for (var i = 0; i < vector.Length; i++)
                    {
                        Assert.True(
                            vector[i].Equals(scalar[i]) || MathF.Abs(vector[i] - scalar[i]) <= tolerance * (1 + MathF.Abs(scalar[i])),
                            $"{optimizer}, {TLane.Count} a lane: {vector[i]} and {scalar[i]} at {i} of dimension {dimension}");
                    }
                }
            },
            iter: 200,
            threads: 1);
    }

    /// <summary>A float of steps would stand still from 2²⁴ on.</summary>
    [Theory]
    [InlineData((1L << 25) + 1)]
    [InlineData((1L << 32) - 3)]
    public void Batch_softmax_counts_single_steps_however_many_there_were(long before)
    {
        var updater = SegmentUpdaters.Create(Specs.Segment(1, new BatchSoftmaxOptimizer()));
        var row = stackalloc float[2];
        var value = row;
        var state = row + 1;
        updater.InitializeState(state);
        for (var step = before; step < before + 8; step += 2)
        {
            *value = 0;
            updater.Apply(&value, &state, &value, 1, default, new StepContext(1, step));
            Assert.True(step == before || *value == 2);
        }
    }

    [Fact]
    public void Rows_that_are_passed_over_stay_as_they_are()
    {
        var updater = SegmentUpdaters.Create(Specs.Segment(4, new SgdOptimizer()));
        float* nothing = null;
        updater.Apply(&nothing, &nothing, &nothing, 1, default, new StepContext(1, 1));
    }

    private static float[] Run(SegmentUpdater updater, float[] start, float[] gradients)
    {
        var dimension = updater.Dimension;
        var row = new float[dimension + updater.StateFloats];
        start.AsSpan(0, dimension).CopyTo(row);
        fixed (float* start0 = row)
        fixed (float* all = gradients)
        {
            var values = start0;
            var state = values + dimension;
            updater.InitializeState(state);
            for (var step = 0; step < 3; step++)
            {
                var gradient = all + (step * 40);
                updater.Apply(&values, &state, &gradient, 1, new SegmentPlace(0, 0), new StepContext(0.1f, step + 1));
            }
        }

        return row;
    }
}
