using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Optimizers;

/// <summary>Learning rates by schedule.</summary>
internal static class LearningRates
{
    /// <summary>The learning rate of an optimizer at a step.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="step">Steps taken, this one included: from 1.</param>
    public static float At(SparseOptimizerSpec optimizer, long step) => optimizer.LearningRate * Share(optimizer.Schedule, step);

    private static float Share(LearningRateSchedule schedule, long step) => schedule switch
    {
        ConstantRate => 1,
        LinearWarmUp s => (float)Done(step, s.Steps),
        PolynomialDecay s => s.EndShare + ((1 - s.EndShare) * (float)Math.Pow(1 - Done(step, s.Steps), s.Power)),
        ExponentialDecay s => (float)Math.Pow(s.Factor, (double)step / s.Steps),
        CosineDecay s => s.EndShare + ((1 - s.EndShare) * (float)((1 + Math.Cos(Math.PI * Done(step, s.Steps))) / 2)),
        _ => throw new NotSupportedException($"there is no schedule {schedule.GetType().Name}"),
    };

    private static double Done(long step, long steps) => Math.Min(1, (double)step / steps);
}
