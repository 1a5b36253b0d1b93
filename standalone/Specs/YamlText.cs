using System.Globalization;
using System.Text;

namespace Monolith.Standalone.Specs;

/// <summary>Any text in YAML, and in its comments.</summary>
internal static class YamlText
{
    private const int CommentMax = 80;

    /// <summary>Plain where YAML can take it for nothing but a text, in double quotes with escapes otherwise.</summary>
    public static string Quote(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var isPlain = text.Length > 1 && char.IsAsciiLetter(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            && text.ToLowerInvariant() is not (
                "null" or "true" or "false" or "yes" or "no" or "on" or "off" or "nan" or "inf");
        return isPlain ? text : $"\"{Escape(text)}\"";
    }

    /// <summary>On one line, not too long.</summary>
    public static string Comment(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var line = Escape(text);
        if (line.Length <= CommentMax)
        {
            return line;
        }

        var end = char.IsHighSurrogate(line[CommentMax - 1]) ? CommentMax - 1 : CommentMax;
        return $"{line[..end]}…";
    }

    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            escaped.Append(rune.Value switch
            {
                '\\' => "\\\\",
                '"' => "\\\"",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                ' ' => " ",
                _ when IsPrinted(rune) => rune.ToString(),
                <= 0xffff => string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}"),
                _ => string.Create(CultureInfo.InvariantCulture, $"\\U{rune.Value:X8}"),
            });
        }

        return escaped.ToString();
    }

    private static bool IsPrinted(Rune rune) =>
        Rune.IsLetterOrDigit(rune) || Rune.IsPunctuation(rune) || Rune.IsSymbol(rune);
}
