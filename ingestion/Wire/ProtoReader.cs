using System.Buffers.Binary;

namespace Monolith.Ingestion.Wire;

/// <summary>
/// Walks protobuf's wire format without building objects. Every read checks bounds and says false at the first damage, so
/// bytes that were walked once may be walked again without checks failing.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position >= _data.Length;

    public bool TryTag(out int field, out int wireType)
    {
        field = wireType = 0;
        if (!TryVarint(out var tag) || tag > uint.MaxValue)
        {
            return false;
        }

        field = (int)(tag >> 3);
        wireType = (int)(tag & 7);
        return field > 0;
    }

    public bool TryVarint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (Position >= _data.Length)
            {
                return false;
            }

            var next = _data[Position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    public bool TryBytes(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!TryVarint(out var length) || length > (ulong)(_data.Length - Position))
        {
            return false;
        }

        bytes = _data.Slice(Position, (int)length);
        Position += (int)length;
        return true;
    }

    public bool TryFixed32(out uint value)
    {
        value = 0;
        if (_data.Length - Position < 4)
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt32LittleEndian(_data[Position..]);
        Position += 4;
        return true;
    }

    public bool TryFixed64(out ulong value)
    {
        value = 0;
        if (_data.Length - Position < 8)
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt64LittleEndian(_data[Position..]);
        Position += 8;
        return true;
    }

    /// <summary>Moves past a field's value. Groups (wire types 3 and 4) do not occur in proto3.</summary>
    public bool TrySkip(int wireType) => wireType switch
    {
        WireType.Varint => TryVarint(out _),
        WireType.Fixed64 => TryFixed64(out _),
        WireType.Bytes => TryBytes(out _),
        WireType.Fixed32 => TryFixed32(out _),
        _ => false,
    };
}

/// <summary>Wire types of protobuf.</summary>
internal static class WireType
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int Bytes = 2;
    public const int Fixed32 = 5;
}
