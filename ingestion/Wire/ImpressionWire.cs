using Monolith.Contracts.Events;

namespace Monolith.Ingestion.Wire;

/// <summary>What the joiner needs of an impression, read from its bytes in one walk that also proves them whole.</summary>
internal ref struct ImpressionWire
{
    private ProtoReader _reader;
    private string? _itemMistake;

    public ReadOnlySpan<byte> RequestId { get; private set; }

    public long EventTimeMs { get; private set; }

    public int Items { get; private set; }

    /// <summary>Reads an impression; what is wrong with it, or null.</summary>
    public static string? Read(ReadOnlySpan<byte> bytes, out ImpressionWire impression)
    {
        impression = new ImpressionWire { _reader = new ProtoReader(bytes) };
        while (!impression._reader.AtEnd)
        {
            if (!impression._reader.TryTag(out var field, out var wireType) || !impression.Field(field, wireType))
            {
                return "The bytes are no impression: damaged at or before byte " + impression._reader.Position + ".";
            }
        }

        if (EventRules.IdMistake("request_id", impression.RequestId.Length) is { } mistake)
        {
            return mistake;
        }

        return impression.Items <= EventLimits.MaxItems
            ? impression._itemMistake
            : $"items: {impression.Items:N0} were shown; at most {EventLimits.MaxItems:N0} are allowed.";
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

    private bool Field(int field, int wireType)
    {
        switch (field, wireType)
        {
            case (2, WireType.Bytes):
                var read = _reader.TryBytes(out var requestId);
                RequestId = requestId;
                return read && FeatureWire.IsUtf8(requestId);
            case (3, WireType.Varint):
                var whole = _reader.TryVarint(out var time);
                EventTimeMs = (long)time;
                return whole;
            case (4, WireType.Bytes):
                return _reader.TryBytes(out var entry) && FeatureWire.IsValid(entry);
            case (5, WireType.Bytes):
                return _reader.TryBytes(out var item) && Item(item);
            case ( >= 1 and <= 6, not WireType.Bytes) or (3, _):
                return false;
            default:
                return _reader.TrySkip(wireType);
        }
    }

    private bool Item(ReadOnlySpan<byte> item)
    {
        var reader = new ProtoReader(item);
        var idBytes = 0;
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            if (field == 1 && wireType == WireType.Bytes)
            {
                if (!reader.TryBytes(out var id) || !FeatureWire.IsUtf8(id))
                {
                    return false;
                }

                idBytes = id.Length;
                continue;
            }

            var valid = (field, wireType) switch
            {
                (2, WireType.Bytes) => reader.TryBytes(out var entry) && FeatureWire.IsValid(entry),
                (1 or 2, _) or (3, not WireType.Fixed32) => false,
                _ => reader.TrySkip(wireType),
            };
            if (!valid)
            {
                return false;
            }
        }

        if (idBytes is 0 or > EventLimits.MaxIdBytes)
        {
            _itemMistake ??= EventRules.IdMistake($"items[{Items}].item_id", idBytes);
        }

        Items++;
        return true;
    }
}
