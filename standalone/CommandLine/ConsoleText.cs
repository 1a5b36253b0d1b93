using System.Buffers;
using System.Globalization;
using System.Text;

namespace Monolith.Standalone.CommandLine;

/// <summary>
/// Makes text safe to print: what events, files and requests contain must not move the cursor, change colours, reverse the
/// direction of writing or forge lines. Such characters appear as <c>\u001b</c> instead.
/// </summary>
internal static class ConsoleText
{
    // Besides what char.IsControl says: marks and overrides of direction, and the two separators of lines and paragraphs.
    private static readonly SearchValues<char> Directions =
        SearchValues.Create("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069");

    /// <summary>Text of several lines: line breaks and tabs stay.</summary>
    public static string Escape(string? text) => Escape(text, isLine: false);

    /// <summary>One line: line breaks and tabs are escaped too.</summary>
    public static string Line(string? text) => Escape(text, isLine: true);

    /// <summary>Whether a character must not be printed as it is in text of several lines.</summary>
    public static bool IsUnsafe(char c) => IsUnsafe(c, isLine: false);

    private static bool IsUnsafe(char c, bool isLine) =>
        char.IsControl(c) ? isLine || c is not ('\n' or '\r' or '\t') : Directions.Contains(c);

    private static string Escape(string? text, bool isLine)
    {
        text ??= "";
        var first = 0;
        while (first < text.Length && !IsUnsafe(text[first], isLine))
        {
            first++;
        }

        if (first == text.Length)
        {
            return text;
        }

        var escaped = new StringBuilder(text, 0, first, text.Length + 16);
        foreach (var c in text.AsSpan(first))
        {
            _ = IsUnsafe(c, isLine)
                ? escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")
                : escaped.Append(c);
        }

        return escaped.ToString();
    }
}
