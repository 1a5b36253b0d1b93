using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Optimizers;

/// <summary>From a segment's specification to what updates it.</summary>
internal static class SegmentUpdaters
{
    /// <summary>The updater of a segment, in the machine's vectors.</summary>
    public static SegmentUpdater Create(SegmentSpec segment) => Create<VectorLane>(segment);

    /// <summary>The updater of a segment, in lanes of the given kind.</summary>
    public static SegmentUpdater Create<TLane>(SegmentSpec segment)
        where TLane : struct, ILane<TLane> => segment.Optimizer switch
        {
            SgdOptimizer => Element<SgdRule, TLane>(default, segment),
            MomentumOptimizer o => Element<MomentumRule, TLane>(new(o.Momentum, o.Nesterov), segment),
            AdagradOptimizer { DecoupledDecay: > 0 } o =>
                Element<DecayedAdagradRule, TLane>(new(o.InitialAccumulator, o.DecoupledDecay), segment),
            AdagradOptimizer o => Element<AdagradRule, TLane>(new(o.InitialAccumulator), segment),
            RowWiseAdagradOptimizer o => Row<RowWiseAdagradRule, TLane>(new(o.InitialAccumulator), segment),
            AdadeltaOptimizer o => Element<AdadeltaRule, TLane>(new(o.Rho, o.Epsilon), segment),
            SparseAdamOptimizer { AmsGrad: true } o =>
                Element<AmsGradRule, TLane>(new(o.Beta1, o.Beta2, o.Epsilon, o.Nesterov), segment),
            SparseAdamOptimizer o => Element<AdamRule, TLane>(new(o.Beta1, o.Beta2, o.Epsilon, o.Nesterov), segment),
            RmsPropOptimizer o => Element<RmsPropRule, TLane>(new(o.Momentum, o.Sums), segment),
            FtrlOptimizer o => Element<FtrlRule, TLane>(new(o.InitialAccumulator, o.Beta, o.LearningRate * o.L1, o.LearningRate * o.L2), segment),
            GroupAdagradOptimizer o => Row<GroupAdagradRule, TLane>(new(o.InitialAccumulator, o.Beta, o.L2), segment),
            GroupFtrlOptimizer o => Row<GroupFtrlRule, TLane>(new(o.InitialAccumulator, o.Beta, o.LearningRate * o.L1, o.LearningRate * o.L2), segment),
            MovingAverageOptimizer o => Element<MovingAverageRule, TLane>(new(o.Decay), segment),
            BatchSoftmaxOptimizer when segment.Dimension == 1 => new BatchSoftmaxUpdater(),
            var unknown => throw new NotSupportedException(
                $"there is no updater for {unknown.GetType().Name} and dimension {segment.Dimension}"),
        };

    private static ElementUpdater<TRule, TLane> Element<TRule, TLane>(TRule rule, SegmentSpec segment)
        where TRule : struct, IElementRule
        where TLane : struct, ILane<TLane> => new(rule, segment.Dimension, segment.Optimizer.WeightDecay);

    private static RowUpdater<TRule, TLane> Row<TRule, TLane>(TRule rule, SegmentSpec segment)
        where TRule : struct, IRowRule
        where TLane : struct, ILane<TLane> => new(rule, segment.Dimension, segment.Optimizer.WeightDecay);
}
