using Monolith.Contracts.Events;

namespace Monolith.Ingestion.Wire;

/// <summary>An action, read from its bytes in one walk that also proves them whole.</summary>
internal ref struct ActionWire
{
    private ProtoReader _reader;

    public ReadOnlySpan<byte> RequestId { get; private set; }

    public ReadOnlySpan<byte> ItemId { get; private set; }

    public ReadOnlySpan<byte> Kind { get; private set; }

    public long EventTimeMs { get; private set; }

    public double Value { get; private set; }

    public readonly bool IsCanary => RequestId.StartsWith("__canary/"u8);

    /// <summary>Reads an action; what is wrong with it, or null.</summary>
    public static string? Read(ReadOnlySpan<byte> bytes, out ActionWire action)
    {
        action = new ActionWire { _reader = new ProtoReader(bytes) };
        while (!action._reader.AtEnd)
        {
            if (!action._reader.TryTag(out var field, out var wireType) || !action.Field(field, wireType))
            {
                return "The bytes are no action: damaged at or before byte " + action._reader.Position + ".";
            }
        }

        var max = Math.Max(action.RequestId.Length, Math.Max(action.ItemId.Length, action.Kind.Length));
        return (action.RequestId.Length, action.IsCanary, action.ItemId.Length, action.Kind.Length) switch
        {
            _ when max > EventRules.MaxIdBytes => $"An id has {max:N0} bytes; at most {EventRules.MaxIdBytes} are allowed.",
            (0, _, _, _) => "request_id is missing.",
            (_, true, _, _) => null,
            (_, _, 0, _) => "item_id is missing.",
            (_, _, _, 0) => "kind is missing.",
            _ => null,
        };
    }

    private bool Field(int field, int wireType)
    {
        switch (field, wireType)
        {
            case (2 or 3 or 4, WireType.Bytes):
                if (!_reader.TryBytes(out var text) || !FeatureWire.IsUtf8(text))
                {
                    return false;
                }

                _ = field switch { 2 => RequestId = text, 3 => ItemId = text, _ => Kind = text };
                return true;
            case (5, WireType.Varint):
                var whole = _reader.TryVarint(out var time);
                EventTimeMs = (long)time;
                return whole;
            case (6, WireType.Fixed64):
                var eight = _reader.TryFixed64(out var bits);
                Value = BitConverter.UInt64BitsToDouble(bits);
                return eight;
            case (1, WireType.Bytes):
                return _reader.TrySkip(wireType);
            case ( >= 1 and <= 6, _):
                return false;
            default:
                return _reader.TrySkip(wireType);
        }
    }
}
