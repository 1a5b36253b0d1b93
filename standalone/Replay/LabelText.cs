using System.Globalization;

namespace Monolith.Standalone.Replay;

/// <summary>How files write labels: 1 and 0, <c>true</c> and <c>false</c>, <c>yes</c> and <c>no</c>, in any case.</summary>
internal static class LabelText
{
    /// <summary>What is allowed, for messages.</summary>
    public const string Allowed = "0 or 1, true or false, yes or no, or nothing where it is not known";

    /// <summary>Whether a text is a positive label; null: it is no label.</summary>
    public static bool? Of(ReadOnlySpan<char> text) =>
        Is(text, "1") || Is(text, "true") || Is(text, "yes") ? true
        : Is(text, "0") || Is(text, "false") || Is(text, "no") ? false
        : !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? null
        : number == 1 ? true
        : number == 0 ? false
        : null;

    private static bool Is(ReadOnlySpan<char> text, string word) => text.Equals(word, StringComparison.OrdinalIgnoreCase);
}
