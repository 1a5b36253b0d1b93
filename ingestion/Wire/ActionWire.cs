using System.Globalization;
using Monolith.Contracts.Events;

namespace Monolith.Ingestion.Wire;

/// <summary>An action, read from its bytes in one walk that also proves them whole.</summary>
internal ref struct ActionWire
{
    private ProtoReader _reader;
    private int _eventIdBytes;

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

        return EventRules.IdMistake("request_id", action.RequestId.Length)
            ?? (action.IsCanary ? null : EventRules.IdMistake("item_id", action.ItemId.Length) ?? EventRules.IdMistake("kind", action.Kind.Length))
            ?? (action._eventIdBytes > EventLimits.MaxIdBytes ? EventRules.IdMistake("event_id", action._eventIdBytes) : null)
            ?? (double.IsFinite(action.Value)
                ? null
                : string.Create(CultureInfo.InvariantCulture, $"value: '{action.Value}' is not allowed; a finite number is."));
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
                var read = _reader.TryBytes(out var eventId);
                _eventIdBytes = eventId.Length;
                return read && FeatureWire.IsUtf8(eventId);
            case ( >= 1 and <= 6, _):
                return false;
            default:
                return _reader.TrySkip(wireType);
        }
    }
}
