using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.DeadLetters;

/// <summary>A record that was put aside, as the tool shows it.</summary>
internal sealed record DeadLetter
{
    /// <summary>Partition of the topic in which it was put aside.</summary>
    public required int Partition { get; init; }

    /// <summary>Its offset there.</summary>
    public required long Offset { get; init; }

    /// <summary>When it was put aside.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Why.</summary>
    public string? Reason { get; init; }

    /// <summary>The topic that it came from.</summary>
    public string? SourceTopic { get; init; }

    /// <summary>The partition that it came from.</summary>
    public string? SourcePartition { get; init; }

    /// <summary>Its offset there.</summary>
    public string? SourceOffset { get; init; }

    /// <summary>Its key, as text.</summary>
    public required string Key { get; init; }

    /// <summary>Its own headers, as text.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>Its bytes; base64 in JSON.</summary>
    public required byte[] Value { get; init; }

    /// <summary>Takes a record apart.</summary>
    public static DeadLetter Of(int partition, in EventRecord record)
    {
        // A header may be there twice (a record put aside once before): the last one is the joiner's.
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var header in record.Headers ?? [])
        {
            headers[header.Name] = Encoding.UTF8.GetString(header.Value.Span);
        }

        string? Take(string name) => headers.Remove(name, out var value) ? value : null;
        return new DeadLetter
        {
            Partition = partition,
            Offset = record.Offset,
            Time = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(
                record.AppendTimeMs, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())),
            Reason = Take(AsideHeaders.Reason),
            SourceTopic = Take(AsideHeaders.Topic),
            SourcePartition = Take(AsideHeaders.Partition),
            SourceOffset = Take(AsideHeaders.Offset),
            Key = Encoding.UTF8.GetString(record.Key.Span),
            Headers = headers,
            Value = record.Value.ToArray(),
        };
    }

    /// <summary>One line.</summary>
    public string Line() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Partition}/{Offset}  {Time:yyyy-MM-dd HH:mm:ss}Z  {ConsoleText.Line($"{SourceTopic}/{SourcePartition}@{SourceOffset}  {Reason}")}");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DeadLetter[]))]
internal sealed partial class DeadLetterJson : JsonSerializerContext;
