namespace Monolith.Contracts.Events;

/// <summary>Limits of raw values of features, wherever they come from.</summary>
public static class FeatureLimits
{
    /// <summary>
    /// Values that one field of a multi-valued feature may have: 10,000. Each is an id with a row to look up, so it bounds the
    /// work that a short text can cause. More are refused like a value of the wrong type.
    /// </summary>
    public const int MaxValues = 10_000;

    /// <summary>
    /// 2⁵³: a number with a fraction or an exponent is an id only below it. From it on several integers share one double.
    /// </summary>
    public const double ExactBelow = 1L << 53;

    /// <summary>What a message says is allowed instead of a number from <see cref="ExactBelow"/> on.</summary>
    public const string AllowedAsId = "an id from 2^53 on is an integer without fraction and exponent, or a text";
}
