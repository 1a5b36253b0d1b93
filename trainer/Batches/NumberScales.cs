using System.Collections.Concurrent;
using System.Globalization;
using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Batches;

/// <summary>
/// Watches the numbers that a worker learns from and reports, once per feature, those whose scale harms the network: inputs
/// beyond about ±10 drown everything else, inputs below about 0.01 have no effect. One thread at a time.
/// </summary>
/// <remarks>
/// Measured with a number that has nothing to do with the label beside two features that have: the AUC is 0.844 where it is
/// spread over 0 to 1, 0.820 over 0 to 10, 0.735 over 0 to 30 and 0.626 over 0 to 100.
/// </remarks>
/// <param name="features">The numeric features, in the order in which numbers are reported.</param>
/// <param name="reported">Features that some worker of the process has reported.</param>
/// <param name="warn">Receives what is to be said.</param>
internal sealed class NumberScales(
    IReadOnlyList<NumericFeature> features, ConcurrentDictionary<string, bool> reported, Action<string> warn)
{
    private const int EnoughForLarge = 100;
    private const int EnoughForSmall = 1_000;
    private const int Window = 4_096;
    private const double LargeMin = 10;
    private const double LargeShareMin = 0.05;
    private const double SmallMax = 0.01;
    private const double SkewMin = 5;
    private readonly Seen[] _seen = new Seen[features.Count];

    /// <summary>Counts a number.</summary>
    /// <param name="feature">Place of its feature.</param>
    /// <param name="number">Its value after the transforms; may be infinite.</param>
    public void Add(int feature, double number)
    {
        ref var seen = ref _seen[feature];
        if (seen.Count++ == 0)
        {
            (seen.Min, seen.Max) = (number, number);
        }

        (seen.Min, seen.Max) = (Math.Min(seen.Min, number), Math.Max(seen.Max, number));
        // Welford (1962): a sum of squares is not exact enough for a time in milliseconds.
        var difference = number - seen.Mean;
        seen.Mean += difference / seen.Count;
        seen.Squares += difference * (number - seen.Mean);
        seen.Large += Math.Abs(number) > LargeMin ? 1 : 0;
        if (Math.Abs(number) > SpecLimits.NumberMax && ++seen.Bounded >= seen.BoundedNext)
        {
            // The first, and then ever fewer: the tenth, the hundredth, …
            seen.BoundedNext = 10 * seen.Bounded;
            WarnBounded(features[feature].Name, number, seen.Bounded);
        }
    }

    /// <summary>Reports the features whose scale is wrong; called after each micro-batch.</summary>
    public void Check()
    {
        for (var f = 0; f < _seen.Length; f++)
        {
            ref var seen = ref _seen[f];
            var isLarge = seen.Count >= EnoughForLarge && seen.Large >= LargeShareMin * seen.Count;
            var magnitude = Math.Max(Math.Abs(seen.Min), Math.Abs(seen.Max));
            var isSmall = seen.Count >= EnoughForSmall && magnitude is > 0 and < SmallMax;
            if ((isLarge || isSmall) && reported.TryAdd(features[f].Name, true))
            {
                var harm = isLarge ? "larger ones drown the other features" : "smaller ones have no effect";
                warn($"feature '{features[f].Name}' has numbers from {Text(seen.Min)} to {Text(seen.Max)} after its transforms; "
                    + $"the network learns well from about -3 to 3, and {harm}: add to its transforms {Transform(seen)}");
            }

            if (seen.Count >= Window)
            {
                seen = new Seen { Bounded = seen.Bounded, BoundedNext = seen.BoundedNext };
            }
        }
    }

    // A feature that was reported as without scale as a whole needs no second warning.
    private void WarnBounded(string feature, double number, long count)
    {
        if (!reported.ContainsKey(feature))
        {
            var bound = number < 0 ? -SpecLimits.NumberMax : SpecLimits.NumberMax;
            warn($"feature '{feature}' has the number {Text(number)}: beyond ±{SpecLimits.NumberMax} after its transforms, "
                + $"so it is taken as {bound} ({count} such number{(count == 1 ? "" : "s")} so far)");
        }
    }

    private static string Transform(Seen seen)
    {
        var deviation = Math.Sqrt(seen.Squares / seen.Count);
        var isSkewed = seen.Min >= 0 && seen.Max - seen.Mean > SkewMin * deviation && Math.Log(1 + seen.Max) < LargeMin;
        if (!double.IsFinite(deviation) || (isSkewed && deviation > 0))
        {
            return "{ kind: log }";
        }

        // A number that is always the same has no deviation.
        var divisor = deviation > 0 ? deviation : Math.Max(Math.Abs(seen.Mean), 1);
        return $"{{ kind: standardize, mean: {Text(seen.Mean)}, deviation: {Text(divisor)} }}, or {{ kind: log }} where a few are "
            + "much larger than the rest (mean and deviation are those of the first numbers)";
    }

    private static string Text(double number) => Math.Abs(number) is >= 1000 and < 1e15
        ? Math.Round(number).ToString("0", CultureInfo.InvariantCulture)
        : number.ToString("G4", CultureInfo.InvariantCulture);

    private struct Seen
    {
        public long Count;
        public long Large;
        public long Bounded;
        public long BoundedNext;
        public double Min;
        public double Max;
        public double Mean;
        public double Squares;
    }
}
