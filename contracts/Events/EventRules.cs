using System.Globalization;

namespace Monolith.Contracts.Events;

/// <summary>What an event must have before it is taken, and the names reserved for our own.</summary>
public static class EventRules
{
    /// <summary>What is wrong with an event's time; null when nothing is.</summary>
    /// <param name="eventTimeMs">When it happened, as the sender says.</param>
    /// <param name="nowMs">The log's clock.</param>
    /// <param name="allowedSkewMs">How far ahead it may be.</param>
    public static string? TimeMistake(long eventTimeMs, long nowMs, long allowedSkewMs)
        => EventTime.Mistake(eventTimeMs, nowMs, allowedSkewMs, "the log's clock") is { } mistake ? $"event_time_ms: {mistake}" : null;

    /// <summary>What is wrong with an event of this many bytes; null when nothing is.</summary>
    /// <param name="bytes">Its bytes, as protobuf.</param>
    /// <param name="maxBytes">How many the log allows.</param>
    public static string? SizeMistake(int bytes, int maxBytes) => bytes <= maxBytes
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"The event has {bytes:N0} bytes as protobuf; the event log takes at most {maxBytes:N0}. Send fewer items or smaller features.");

    /// <summary>What is wrong with an id of this many bytes; null when nothing is.</summary>
    /// <param name="name">Its place in the event.</param>
    /// <param name="utf8Bytes">Its bytes, as UTF-8.</param>
    public static string? IdMistake(string name, int utf8Bytes) => utf8Bytes switch
    {
        0 => $"{name} is missing.",
        > EventLimits.MaxIdBytes => $"{name}: has more than {EventLimits.MaxIdBytes} bytes.",
        _ => null,
    };
}
