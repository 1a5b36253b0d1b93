using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>A kind of scalar: what is allowed, and how it is read.</summary>
/// <param name="Allowed">What is allowed, in a message.</param>
/// <param name="Read">Reads a text; null when it is not allowed.</param>
internal sealed record Scalar<T>(string Allowed, Func<string, T?> Read)
    where T : struct;

/// <summary>The kinds of scalars that specifications have.</summary>
internal static partial class Scalars
{
    /// <summary>A model's name.</summary>
    public const string ModelNameAllowed = "lower-case letters, digits and dashes, starting with a letter, at most 63";

    /// <summary>Another name.</summary>
    public const string NameAllowed = "letters, digits and underscores, starting with a letter, at most 63";

    private static readonly (string Unit, double Ms)[] Units =
        [("ms", 1), ("s", 1e3), ("m", 60e3), ("h", 3600e3), ("d", 86400e3)];

    /// <summary>Whether a text may name a model.</summary>
    public static bool IsModelName(string text) => ModelName().IsMatch(text);

    /// <summary>Whether a text may name a feature, table or task.</summary>
    public static bool IsName(string text) => Name().IsMatch(text);

    /// <summary>A whole number.</summary>
    public static Scalar<T> Whole<T>(T min, T max)
        where T : struct, IBinaryInteger<T> => new(
        $"a whole number from {min} to {max}",
        text => T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var x) && x >= min && x <= max
            ? x
            : null);

    /// <summary>A number; a bound may itself be excluded.</summary>
    public static Scalar<double> Number(double min, double max, bool above = false, bool below = false) => new(
        min <= float.MinValue && max >= float.MaxValue ? "a number"
        : $"a number {(above ? "above" : "from")} {min:0.######}{(max >= float.MaxValue ? above ? "" : " up" : below ? $" and below {max}" : $" to {max}")}",
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var x)
            && (above ? x > min : x >= min) && (below ? x < max : x <= max)
            && (x == 0 || (float)x != 0) // settings are kept as floats: what is zero to them is not "above 0"
                ? x
                : null);

    /// <summary>A duration, as in 200ms, 5s, 5m, 2h, 30d.</summary>
    public static Scalar<TimeSpan> Duration(TimeSpan min, TimeSpan max) => new(
        $"a duration from {Text(min)} to {Text(max)}, such as 200ms, 5s, 10m, 2h or 30d",
        text =>
        {
            var match = DurationText().Match(text);
            if (!match.Success || !double.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var count))
            {
                return null;
            }

            var ms = count * Array.Find(Units, u => u.Unit == match.Groups[2].Value).Ms;
            return ms >= min.TotalMilliseconds && ms <= max.TotalMilliseconds ? TimeSpan.FromMilliseconds(ms) : null;
        });

    /// <summary>One of a few words.</summary>
    public static Scalar<T> OneOf<T>(params (string Word, T Value)[] words)
        where T : struct => new(
        "one of " + string.Join(", ", words.Select(w => w.Word)),
        text => Array.FindIndex(words, w => w.Word == text) is var i and >= 0 ? words[i].Value : null);

    /// <summary>The shortest text of a duration, in the largest unit that it is a whole number of.</summary>
    public static string Text(TimeSpan duration)
    {
        var (unit, ms) = Array.FindLast(Units, u => duration.TotalMilliseconds % u.Ms == 0);
        return unit is null || duration == TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds}ms")
            : string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds / ms}{unit}");
    }

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,62}\z")]
    private static partial Regex ModelName();

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9_]{0,62}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"\A([0-9]{1,12}(?:\.[0-9]{1,12})?)(ms|s|m|h|d)\z")]
    private static partial Regex DurationText();
}
