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
            AdagradOptimizer o => Element<AdagradRule, TLane>(new(o.InitialAccumulator), segment),
            FtrlOptimizer o => Element<FtrlRule, TLane>(new(o.InitialAccumulator, o.Beta, o.L1, o.L2), segment),
            MovingAverageOptimizer o => Element<MovingAverageRule, TLane>(new(o.Decay), segment),
            var unknown => throw new NotSupportedException($"there is no updater for {unknown.GetType().Name}"),
        };

    private static ElementUpdater<TRule, TLane> Element<TRule, TLane>(TRule rule, SegmentSpec segment)
        where TRule : struct, IElementRule
        where TLane : struct, ILane<TLane> => new(rule, segment.Dimension, segment.Optimizer.WeightDecay);
}
