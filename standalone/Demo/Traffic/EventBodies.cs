using System.Text.Json;
using Monolith.Standalone.Demo.World;

namespace Monolith.Standalone.Demo.Traffic;

/// <summary>The JSON that the demo's application sends.</summary>
internal static class EventBodies
{
    /// <summary>A scoring request.</summary>
    public static void Score(Utf8JsonWriter json, string requestId, int user, int segment, ReadOnlySpan<Item> candidates)
    {
        json.WriteStartObject();
        json.WriteString("request_id", requestId);
        Shared(json, user, segment);
        json.WriteStartArray("candidates");
        foreach (var item in candidates)
        {
            json.WriteStartObject();
            json.WriteString("item_id", item.Id);
            Features(json, item, position: 0);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A list as it was shown, with the features as they were scored.</summary>
    public static void Impression(
        Utf8JsonWriter json, string requestId, long timeMs, int user, int segment, ReadOnlySpan<Shown> items, IReadOnlyList<VersionReply> versions)
    {
        json.WriteStartObject();
        json.WriteString("event_id", requestId);
        json.WriteString("request_id", requestId);
        json.WriteNumber("event_time_ms", timeMs);
        Shared(json, user, segment);
        json.WriteStartArray("items");
        foreach (var shown in items)
        {
            json.WriteStartObject();
            json.WriteString("item_id", shown.Item.Id);
            Features(json, shown.Item, shown.Position);
            json.WriteNumber("score", shown.Score);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("versions");
        foreach (var version in versions)
        {
            json.WriteStartObject();
            json.WriteNumber("shard", version.Shard);
            json.WriteNumber("epoch", version.Epoch);
            json.WriteNumber("sequence", version.Sequence);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A click.</summary>
    public static void Click(Utf8JsonWriter json, string requestId, string itemId, long timeMs)
    {
        json.WriteStartObject();
        json.WriteString("event_id", $"{requestId}/{itemId}/click");
        json.WriteString("request_id", requestId);
        json.WriteString("item_id", itemId);
        json.WriteString("kind", "click");
        json.WriteNumber("event_time_ms", timeMs);
        json.WriteEndObject();
    }

    private static void Shared(Utf8JsonWriter json, int user, int segment)
    {
        json.WriteStartObject("shared");
        json.WriteNumber("user", user);
        json.WriteNumber("segment", segment);
        json.WriteEndObject();
    }

    private static void Features(Utf8JsonWriter json, Item item, int position)
    {
        json.WriteStartObject("features");
        json.WriteString("item", item.Id);
        json.WriteNumber("category", item.Category);
        if (position > 0)
        {
            json.WriteNumber("position", position);
        }

        json.WriteEndObject();
    }
}

/// <summary>An item that was shown.</summary>
internal readonly record struct Shown(Item Item, int Position, float Score);
