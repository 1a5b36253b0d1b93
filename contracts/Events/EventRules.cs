namespace Monolith.Contracts.Events;

/// <summary>What an event must have before it is taken, and the names reserved for our own.</summary>
public static class EventRules
{
    /// <summary>Request ids of freshness canaries start with this.</summary>
    public const string CanaryPrefix = "__canary/";

    /// <summary>What is wrong with an impression; null when nothing is.</summary>
    public static string? Mistake(Impression impression)
    {
        ArgumentNullException.ThrowIfNull(impression);
        if (Id("request_id", impression.RequestId) is { } mistake)
        {
            return mistake;
        }

        if (impression.Items.Count > EventLimits.MaxItems)
        {
            return $"items: {impression.Items.Count:N0} were shown; at most {EventLimits.MaxItems:N0} are allowed.";
        }

        for (var i = 0; i < impression.Items.Count; i++)
        {
            if (Id("item_id", impression.Items[i].ItemId) is { } wrong)
            {
                return $"items[{i}].{wrong}";
            }
        }

        return null;
    }

    /// <summary>What is wrong with an action; null when nothing is.</summary>
    public static string? Mistake(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        return Id("request_id", action.RequestId)
            ?? (IsCanary(action.RequestId) ? null : Id("item_id", action.ItemId) ?? Id("kind", action.Kind));
    }

    /// <summary>What is wrong with an event's time; null when nothing is.</summary>
    /// <param name="eventTimeMs">When it happened, as the sender says.</param>
    /// <param name="nowMs">The log's clock.</param>
    /// <param name="allowedSkewMs">How far ahead it may be.</param>
    public static string? TimeMistake(long eventTimeMs, long nowMs, long allowedSkewMs)
        => EventTime.Mistake(eventTimeMs, nowMs, allowedSkewMs, "the log's clock") is { } mistake ? $"event_time_ms: {mistake}" : null;

    /// <summary>Whether a request is a freshness canary.</summary>
    public static bool IsCanary(string requestId)
    {
        ArgumentNullException.ThrowIfNull(requestId);
        return requestId.StartsWith(CanaryPrefix, StringComparison.Ordinal);
    }

    /// <summary>What is wrong with an id of this many bytes; null when nothing is.</summary>
    /// <param name="name">Its place in the event.</param>
    /// <param name="utf8Bytes">Its bytes, as UTF-8.</param>
    public static string? IdMistake(string name, int utf8Bytes) => utf8Bytes switch
    {
        0 => $"{name} is missing.",
        > EventLimits.MaxIdBytes => $"{name}: has more than {EventLimits.MaxIdBytes} bytes.",
        _ => null,
    };

    private static string? Id(string name, string value) => IdMistake(name, System.Text.Encoding.UTF8.GetByteCount(value));
}
