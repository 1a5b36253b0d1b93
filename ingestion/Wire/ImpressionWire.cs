using System.Globalization;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Features;

namespace Monolith.Ingestion.Wire;

/// <summary>What the joiner needs of an impression, read from its bytes in one walk that also proves them whole.</summary>
internal ref struct ImpressionWire
{
    private ProtoReader _reader;
    private FieldRules? _rules;
    private string? _mistake;
    private int _sharedBytes;
    private int _sharedFeatures;
    private int _versions;
    private long _sharedValues;
    private long _itemValues;

    public ReadOnlySpan<byte> RequestId { get; private set; }

    public long EventTimeMs { get; private set; }

    public int Items { get; private set; }

    /// <summary>Reads an impression; what is wrong with it, or null.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="rules">What the model's features take; null: values are not checked.</param>
    /// <param name="impression">What was read.</param>
    public static string? Read(ReadOnlySpan<byte> bytes, FieldRules? rules, out ImpressionWire impression)
    {
        impression = new ImpressionWire { _reader = new ProtoReader(bytes), _rules = rules };
        while (!impression._reader.AtEnd)
        {
            if (!impression._reader.TryTag(out var field, out var wireType) || !impression.Field(field, wireType))
            {
                return "The bytes are no impression: damaged at or before byte " + impression._reader.Position + ".";
            }
        }

        return EventRules.IdMistake("request_id", impression.RequestId.Length) ?? impression.LimitMistake() ?? impression._mistake;
    }

    /// <summary>The content of the next item of an impression that was read; false after the last.</summary>
    public static bool NextItem(ref ProtoReader reader, out ReadOnlySpan<byte> item)
    {
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            if (field == 5)
            {
                return reader.TryBytes(out item);
            }

            reader.TrySkip(wireType);
        }

        item = default;
        return false;
    }

    /// <summary>The request id of an impression that was read.</summary>
    public static ReadOnlySpan<byte> RequestIdOf(ReadOnlySpan<byte> impression)
    {
        var reader = new ProtoReader(impression);
        ReadOnlySpan<byte> id = default;
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            if (field == 2)
            {
                reader.TryBytes(out id);
            }
            else
            {
                reader.TrySkip(wireType);
            }
        }

        return id;
    }

    /// <summary>An upper bound of the bytes that an impression's shared features take in a group.</summary>
    public static int SharedBytes(ReadOnlySpan<byte> impression)
    {
        var reader = new ProtoReader(impression);
        var bytes = 0;
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            var start = reader.Position;
            reader.TrySkip(wireType);
            bytes += field == 4 ? 6 + reader.Position - start : 0;
        }

        return bytes;
    }

    /// <summary>An item's id.</summary>
    public static ReadOnlySpan<byte> ItemId(ReadOnlySpan<byte> item)
    {
        var reader = new ProtoReader(item);
        ReadOnlySpan<byte> id = default;
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            if (field == 1)
            {
                reader.TryBytes(out id);
            }
            else
            {
                reader.TrySkip(wireType);
            }
        }

        return id;
    }

    private readonly string? LimitMistake()
    {
        var examples = Math.Max(1, Items);
        return Above("items", Items, EventLimits.MaxItems, "items")
            ?? Above("versions", _versions, EventLimits.MaxVersions, "versions")
            ?? Above("shared", _sharedFeatures, EventLimits.MaxFeatures, "features")
            ?? Above("shared", _sharedBytes, EventLimits.MaxSharedBytes, "bytes")
            ?? Above("shared", (long)_sharedBytes * Items, EventLimits.MaxSharedBytesTimesItems, "bytes × items")
            ?? Above("items", (_sharedValues * examples) + _itemValues, EventLimits.MaxExampleValues, "values in the examples of all items");
    }

    private static string? Above(string place, long found, long max, string what) => found <= max
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"{place}: has {found:N0} {what}; at most {max:N0} are allowed.");

    private bool Field(int field, int wireType)
    {
        switch (field, wireType)
        {
            case (1, WireType.Bytes):
                if (!_reader.TryBytes(out var eventId) || !FeatureWire.IsUtf8(eventId))
                {
                    return false;
                }

                _mistake ??= eventId.Length > EventLimits.MaxIdBytes ? EventRules.IdMistake("event_id", eventId.Length) : null;
                return true;
            case (2, WireType.Bytes):
                var read = _reader.TryBytes(out var requestId);
                RequestId = requestId;
                return read && FeatureWire.IsUtf8(requestId);
            case (3, WireType.Varint):
                var whole = _reader.TryVarint(out var time);
                EventTimeMs = (long)time;
                return whole;
            case (4, WireType.Bytes):
                _sharedFeatures++;
                var values = 0;
                var valid = _reader.TryBytes(out var entry) && Feature(entry, -1, ref values);
                _sharedBytes += entry.Length;
                _sharedValues += values;
                return valid;
            case (5, WireType.Bytes):
                return _reader.TryBytes(out var item) && Item(item);
            case ( >= 1 and <= 6, not WireType.Bytes):
                return false;
            default:
                _versions += field == 6 ? 1 : 0;
                return _reader.TrySkip(wireType);
        }
    }

    private bool Feature(ReadOnlySpan<byte> entry, int item, ref int values)
    {
        if (!FeatureWire.TryRead(entry, out var name, out var value))
        {
            return false;
        }

        var more = 0;
        if (_rules?.Check(name, value, out more) is { } mistake)
        {
            _mistake ??= $"{(item < 0 ? "shared" : $"items[{item}].features")}.{JsonPath.Shorten(Encoding.UTF8.GetString(name))}: {mistake.Message}.";
        }
        else
        {
            values += more;
        }

        return true;
    }

    private bool Item(ReadOnlySpan<byte> item)
    {
        var reader = new ProtoReader(item);
        var (idBytes, features, values) = (0, 0, 0);
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            switch (field, wireType)
            {
                case (1, WireType.Bytes):
                    if (!reader.TryBytes(out var id) || !FeatureWire.IsUtf8(id))
                    {
                        return false;
                    }

                    idBytes = id.Length;
                    break;
                case (2, WireType.Bytes):
                    features++;
                    if (!reader.TryBytes(out var entry) || !Feature(entry, Items, ref values))
                    {
                        return false;
                    }

                    break;
                case (3, WireType.Fixed32):
                    if (!reader.TryFixed32(out var bits))
                    {
                        return false;
                    }

                    CheckScore(BitConverter.UInt32BitsToSingle(bits));
                    break;
                case ( >= 1 and <= 3, _):
                    return false;
                default:
                    if (!reader.TrySkip(wireType))
                    {
                        return false;
                    }

                    break;
            }
        }

        _mistake ??= (idBytes is 0 or > EventLimits.MaxIdBytes ? EventRules.IdMistake($"items[{Items}].item_id", idBytes) : null)
            ?? (features > EventLimits.MaxFeatures ? Above($"items[{Items}]", features, EventLimits.MaxFeatures, "features") : null)
            ?? (item.Length > EventLimits.MaxItemBytes ? Above($"items[{Items}]", item.Length, EventLimits.MaxItemBytes, "bytes") : null);
        _itemValues += values;
        Items++;
        return true;
    }

    private void CheckScore(float score)
    {
        if (score is not (>= 0 and <= 1))
        {
            _mistake ??= string.Create(
                CultureInfo.InvariantCulture, $"items[{Items}].score: '{score}' is not allowed; a probability, 0 to 1, is.");
        }
    }
}
