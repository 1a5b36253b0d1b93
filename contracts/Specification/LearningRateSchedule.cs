namespace Monolith.Contracts.Specification;

/// <summary>How a learning rate moves with the table's steps (updates of the table, each a micro-batch's push).</summary>
public abstract record LearningRateSchedule;

/// <summary>Not at all.</summary>
public sealed record ConstantRate : LearningRateSchedule;

/// <summary>From 0 up to the learning rate in so many steps, then constant.</summary>
/// <param name="Steps">Steps, at least 1.</param>
public sealed record LinearWarmUp(long Steps) : LearningRateSchedule;

/// <summary>Down to a share of the learning rate: (1 − share)·(1 − step/steps)^power + share.</summary>
/// <param name="Steps">Steps, at least 1.</param>
/// <param name="EndShare">What is left at the end, from 0 to 1.</param>
/// <param name="Power">1 is a straight line; above 0.</param>
public sealed record PolynomialDecay(long Steps, float EndShare = 0, float Power = 1) : LearningRateSchedule;

/// <summary>Times a factor every so many steps, without jumps: factor^(step/steps).</summary>
/// <param name="Steps">Steps, at least 1.</param>
/// <param name="Factor">From above 0 to 1.</param>
public sealed record ExponentialDecay(long Steps, float Factor) : LearningRateSchedule;

/// <summary>Down to a share of the learning rate along half a cosine.</summary>
/// <param name="Steps">Steps, at least 1.</param>
/// <param name="EndShare">What is left at the end, from 0 to 1.</param>
public sealed record CosineDecay(long Steps, float EndShare = 0) : LearningRateSchedule;
