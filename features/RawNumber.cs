using System.Globalization;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Features;

/// <summary>Raw values as numbers, and the buckets of numbers.</summary>
internal static class RawNumber
{
    private const string Allowed = "a finite number";

    /// <summary>The number a value is.</summary>
    /// <exception cref="FeatureException">It is none.</exception>
    public static double Of(string feature, FeatureValue value)
    {
        var number = value.KindCase switch
        {
            FeatureValue.KindOneofCase.Number => value.Number,
            FeatureValue.KindOneofCase.Integer => value.Integer,
            FeatureValue.KindOneofCase.Text => Of(feature, value.Text),
            _ => throw Refuse(feature, "a list"),
        };
        return double.IsFinite(number) ? number : throw Refuse(feature, number.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The number a text is.</summary>
    /// <exception cref="FeatureException">It is none.</exception>
    public static double Of(string feature, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw Refuse(feature, text);

    /// <summary>The finite number that a text in UTF-8 is; false when it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    /// <summary>The refusal of a value that is no finite number.</summary>
    public static FeatureException Refuse(string feature, string value) => new(feature, value, Allowed);

    /// <summary>The bucket of a number.</summary>
    public static long Bucket(BucketizeSpec bucketize, double x)
    {
        switch (bucketize)
        {
            case LogBuckets log:
                return (long)Math.Floor(Math.Log2(1 + Math.Max(x, 0)) * log.PerOctave);
            case BoundaryBuckets boundaries:
                var found = boundaries.Boundaries.AsSpan().BinarySearch(x);
                return found >= 0 ? found + 1 : ~found;
            default:
                throw new NotSupportedException($"Unknown bucketize {bucketize.GetType().Name}");
        }
    }
}
