namespace Monolith.Embeddings.Initialization;

/// <summary>
/// The normal distribution cut off at two deviations, by its inverse distribution function: Acklam's rational
/// approximation (2003; relative error below 1.2e-9), of which the cut leaves the middle and a little of the tails.
/// </summary>
internal static class TruncatedNormal
{
    // Φ(−2) and Φ(2) − Φ(−2).
    private const double Below = 0.022750131948179195;
    private const double Within = 0.9544997361036416;

    /// <summary>The value below which a share of the distribution lies, in deviations from the mean.</summary>
    /// <param name="share">In [0, 1).</param>
    public static double Quantile(double share) => Math.Clamp(Normal(Below + (share * Within)), -2, 2);

    private static double Normal(double p)
    {
        const double Tail = 0.02425;
        if (p < Tail)
        {
            var q = Math.Sqrt(-2 * Math.Log(p));
            return Outer(q);
        }

        if (p > 1 - Tail)
        {
            return -Outer(Math.Sqrt(-2 * Math.Log(1 - p)));
        }

        var x = p - 0.5;
        var r = x * x;
        return ((((((((((-3.969683028665376e+01 * r) + 2.209460984245205e+02) * r) - 2.759285104469687e+02) * r) + 1.383577518672690e+02) * r) - 3.066479806614716e+01) * r) + 2.506628277459239e+00) * x
            / ((((((((((-5.447609879822406e+01 * r) + 1.615858368580409e+02) * r) - 1.556989798598866e+02) * r) + 6.680131188771972e+01) * r) - 1.328068155288572e+01) * r) + 1);
    }

    private static double Outer(double q) =>
        ((((((((((-7.784894002430293e-03 * q) - 3.223964580411365e-01) * q) - 2.400758277161838e+00) * q) - 2.549732539343734e+00) * q) + 4.374664141464968e+00) * q) + 2.938163982698783e+00)
        / ((((((((7.784695709041462e-03 * q) + 3.224671290700398e-01) * q) + 2.445134137142996e+00) * q) + 3.754408661907416e+00) * q) + 1);
}
