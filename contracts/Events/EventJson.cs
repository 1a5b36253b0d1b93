using System.Buffers;
using System.Text.Json;

namespace Monolith.Contracts.Events;

/// <summary>
/// Impressions and actions as JSON, the way people write them: feature values are plain texts, numbers or arrays of texts
/// and numbers. Unknown members are skipped, missing optional ones take their default.
/// </summary>
/// <example>
/// <code>
/// {"request_id":"r1","event_time_ms":1700000000000,"shared":{"user_id":"u7","city":12},
///  "items":[{"item_id":"a","features":{"position":1,"tags":["new","red"]},"score":0.04}]}
/// {"request_id":"r1","item_id":"a","kind":"click"}
/// </code>
/// </example>
public static class EventJson
{
    private static readonly FeatureValueConverter FeatureValues = new();

    /// <summary>Reads one impression, or an array of them.</summary>
    /// <param name="json">The text.</param>
    /// <param name="maxEvents">Events that are allowed; checked while reading.</param>
    /// <exception cref="EventFormatException">Names the place, what was found and what is allowed.</exception>
    /// <exception cref="TooManyEventsException">There are more events.</exception>
    public static List<Impression> Impressions(ReadOnlySequence<byte> json, int maxEvents) => Many(json, maxEvents, ReadImpression);

    /// <summary>Reads one action, or an array of them.</summary>
    /// <param name="json">The text.</param>
    /// <param name="maxEvents">Events that are allowed; checked while reading.</param>
    /// <exception cref="EventFormatException">Names the place, what was found and what is allowed.</exception>
    /// <exception cref="TooManyEventsException">There are more events.</exception>
    public static List<Action> Actions(ReadOnlySequence<byte> json, int maxEvents) => Many(json, maxEvents, ReadAction);

    private delegate T ReadOne<T>(ref Utf8JsonReader reader, JsonPath path);

    private static List<T> Many<T>(ReadOnlySequence<byte> json, int maxEvents, ReadOne<T> readOne)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = EventLimits.MaxJsonDepth });
        var path = new JsonPath();
        try
        {
            reader.Read();
            var many = new List<T>();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                many.Add(readOne(ref reader, path));
            }
            else
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (many.Count == maxEvents)
                    {
                        throw new TooManyEventsException(maxEvents);
                    }

                    many.Add(readOne(ref reader, path.At(many.Count)));
                }
            }

            return reader.Read() ? throw path.Error("ends here", "more follows") : many;
        }
        catch (InvalidOperationException e)
        {
            throw new EventFormatException("A text or the name of a member is not Unicode: it has an unpaired surrogate, or bytes that are not UTF-8.", e);
        }
        catch (JsonException e)
        {
            throw new EventFormatException($"The JSON is broken at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {FirstSentence(e.Message)}", e);
        }
    }

    private static Impression ReadImpression(ref Utf8JsonReader reader, JsonPath path)
    {
        var impression = new Impression();
        Open(ref reader, path, "an impression, which is an object");
        while (Member(ref reader))
        {
            switch (Unicode(ref reader, path))
            {
                case "event_id":
                    impression.EventId = Text(ref reader, path.Dot("event_id"));
                    break;
                case "request_id":
                    impression.RequestId = Text(ref reader, path.Dot("request_id"));
                    break;
                case "event_time_ms":
                    impression.EventTimeMs = Milliseconds(ref reader, path.Dot("event_time_ms"));
                    break;
                case "shared":
                    Features(ref reader, path.Dot("shared"), impression.Shared);
                    break;
                case "items":
                    Items(ref reader, path.Dot("items"), impression);
                    break;
                case "versions":
                    Versions(ref reader, path.Dot("versions"), impression);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return impression;
    }

    private static Action ReadAction(ref Utf8JsonReader reader, JsonPath path)
    {
        var action = new Action();
        Open(ref reader, path, "an action, which is an object");
        while (Member(ref reader))
        {
            switch (Unicode(ref reader, path))
            {
                case "event_id":
                    action.EventId = Text(ref reader, path.Dot("event_id"));
                    break;
                case "request_id":
                    action.RequestId = Text(ref reader, path.Dot("request_id"));
                    break;
                case "item_id":
                    action.ItemId = Text(ref reader, path.Dot("item_id"));
                    break;
                case "kind":
                    action.Kind = Text(ref reader, path.Dot("kind"));
                    break;
                case "event_time_ms":
                    action.EventTimeMs = Milliseconds(ref reader, path.Dot("event_time_ms"));
                    break;
                case "value":
                    action.Value = Number(ref reader, path.Dot("value"));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return action;
    }

    private static void Items(ref Utf8JsonReader reader, JsonPath path, Impression into)
    {
        OpenArray(ref reader, path, "an array of shown items");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            RequireFew(into.Items.Count, EventLimits.MaxItems, path);
            var at = path.At(into.Items.Count);
            var item = new ShownItem();
            Open(ref reader, at, "a shown item, which is an object");
            while (Member(ref reader))
            {
                switch (Unicode(ref reader, at))
                {
                    case "item_id":
                        item.ItemId = Text(ref reader, at.Dot("item_id"));
                        break;
                    case "features":
                        Features(ref reader, at.Dot("features"), item.Features);
                        break;
                    case "score":
                        item.Score = (float)Number(ref reader, at.Dot("score"));
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            into.Items.Add(item);
        }
    }

    private static void Versions(ref Utf8JsonReader reader, JsonPath path, Impression into)
    {
        OpenArray(ref reader, path, "an array of versions");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            RequireFew(into.Versions.Count, EventLimits.MaxVersions, path);
            var at = path.At(into.Versions.Count);
            var version = new ShardVersion();
            Open(ref reader, at, "a version, which is an object");
            while (Member(ref reader))
            {
                switch (Unicode(ref reader, at))
                {
                    case "shard":
                        version.Shard = Integer(ref reader, at.Dot("shard")) is >= -1 and <= int.MaxValue and var shard
                            ? (int)shard
                            : throw at.Dot("shard").Error("-1 or the number of a shard", "another number");
                        break;
                    case "epoch":
                        version.Epoch = Integer(ref reader, at.Dot("epoch"));
                        break;
                    case "sequence":
                        version.Sequence = Integer(ref reader, at.Dot("sequence"));
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            into.Versions.Add(version);
        }
    }

    private static void Features(ref Utf8JsonReader reader, JsonPath path, Google.Protobuf.Collections.MapField<string, FeatureValue> into)
    {
        reader.Read();
        Open(ref reader, path, "an object of features");
        while (Member(ref reader))
        {
            var name = Unicode(ref reader, path);
            reader.Read();
            if (reader.TokenType != JsonTokenType.Null)
            {
                into[name] = Feature(ref reader, path.Dot(name));
            }
        }
    }

    private static FeatureValue Feature(ref Utf8JsonReader reader, JsonPath path)
    {
        try
        {
            return FeatureValues.Read(ref reader, typeof(FeatureValue), JsonSerializerOptions.Default);
        }
        catch (JsonException e) when (e.LineNumber is null)
        {
            throw new EventFormatException($"{path}: {e.Message}.", e);
        }
    }

    private static void RequireFew(int before, int max, JsonPath path)
    {
        if (before == max)
        {
            throw new EventFormatException(
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}: there are more than {max:N0}; at most {max:N0} are allowed."));
        }
    }

    private static bool Member(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    private static void Open(ref Utf8JsonReader reader, JsonPath path, string wanted)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw path.Error(wanted, Found(ref reader, path));
        }
    }

    private static void OpenArray(ref Utf8JsonReader reader, JsonPath path, string wanted)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw path.Error(wanted, Found(ref reader, path));
        }
    }

    private static string Text(ref Utf8JsonReader reader, JsonPath path)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.String => Unicode(ref reader, path),
            JsonTokenType.Number when FeatureValueConverter.Digits(ref reader) is { } digits => digits,
            JsonTokenType.Null => string.Empty,
            _ => throw path.Error("a text", Found(ref reader, path)),
        };
    }

    private static string Unicode(ref Utf8JsonReader reader, JsonPath path)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw path.Error("a text in valid UTF-8", "what is not Unicode: an unpaired surrogate, or bytes that are not UTF-8");
        }
    }

    private static double Number(ref Utf8JsonReader reader, JsonPath path)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw path.Error("a number", Found(ref reader, path));
    }

    private static long Integer(ref Utf8JsonReader reader, JsonPath path)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var integer)
            ? integer
            : throw path.Error("an integer", Found(ref reader, path));
    }

    private static long Milliseconds(ref Utf8JsonReader reader, JsonPath path)
    {
        var value = Integer(ref reader, path);
        return value >= 0 ? value : throw path.Error("milliseconds since 1970", $"{value}, which is negative");
    }

    private static string Found(ref Utf8JsonReader reader, JsonPath path) => reader.TokenType switch
    {
        JsonTokenType.String => $"the text \"{JsonPath.Shorten(Unicode(ref reader, path))}\"",
        JsonTokenType.Number => "a number that does not fit",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        JsonTokenType.Null => "null",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.StartObject => "an object",
        _ => "nothing",
    };

    private static string FirstSentence(string message)
    {
        // System.Text.Json appends its own place, which is already in ours.
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
