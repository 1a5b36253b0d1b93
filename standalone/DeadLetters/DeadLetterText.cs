using System.Globalization;
using System.Text;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.DeadLetters;

/// <summary>A record put aside, for people: headers, the event where it can be read, and the original bytes.</summary>
internal static class DeadLetterText
{
    private const int BytesALine = 16;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Several lines.</summary>
    public static string Of(DeadLetter letter)
    {
        var text = new StringBuilder().AppendLine(letter.Line()).AppendLine(CultureInfo.InvariantCulture, $"key: {ConsoleText.Line(letter.Key)}");
        foreach (var (name, value) in letter.Headers)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{ConsoleText.Line(name)}: {ConsoleText.Line(value)}");
        }

        if (Event(letter) is { } decoded)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"event: {ConsoleText.Line(decoded)}");
        }

        return text.AppendLine(CultureInfo.InvariantCulture, $"{letter.Value.Length} bytes:").Append(Bytes(letter.Value)).ToString();
    }

    /// <summary>Text as it is; anything else as a hex dump.</summary>
    public static string Bytes(byte[] value)
    {
        try
        {
            var text = Strict.GetString(value);
            if (!text.Any(ConsoleText.IsUnsafe))
            {
                return text;
            }
        }
        catch (DecoderFallbackException)
        {
            // No text.
        }

        var dump = new StringBuilder();
        for (var at = 0; at < value.Length; at += BytesALine)
        {
            var line = value.AsSpan(at, Math.Min(BytesALine, value.Length - at));
            dump.Append(CultureInfo.InvariantCulture, $"{at:x8} ");
            foreach (var b in line)
            {
                dump.Append(CultureInfo.InvariantCulture, $" {b:x2}");
            }

            dump.Append(' ', (3 * (BytesALine - line.Length)) + 2);
            foreach (var b in line)
            {
                dump.Append(b is >= 0x20 and < 0x7f ? (char)b : '.');
            }

            dump.AppendLine();
        }

        return dump.ToString();
    }

    private static string? Event(DeadLetter letter)
    {
        if (letter.Headers.TryGetValue("content-type", out var type) && !type.Contains("protobuf", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        try
        {
            return letter.SourceTopic?.EndsWith(".impressions", StringComparison.Ordinal) == true
                ? Impression.Parser.ParseFrom(letter.Value).ToString()
                : letter.SourceTopic?.EndsWith(".actions", StringComparison.Ordinal) == true
                    ? Contracts.Events.Action.Parser.ParseFrom(letter.Value).ToString()
                    : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
