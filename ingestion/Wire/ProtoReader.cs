using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Monolith.Ingestion.Wire;

/// <summary>
/// Walks protobuf's wire format without building objects. Every read checks bounds and says false at the first damage, so
/// bytes that were walked once may be walked again without checks failing.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _position;

    public readonly int Position => _position;

    public readonly bool AtEnd => _position >= _data.Length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTag(out int field, out int wireType)
    {
        var whole = TryVarint(out var tag);
        field = (int)(tag >> 3);
        wireType = (int)(tag & 7);
        return whole && tag <= uint.MaxValue && field > 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryVarint(out ulong value)
    {
        // Most are one byte.
        if ((uint)_position < (uint)_data.Length && _data[_position] < 0x80)
        {
            value = _data[_position++];
            return true;
        }

        return TryLongVarint(out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryBytes(out ReadOnlySpan<byte> bytes)
    {
        if (!TryVarint(out var length) || length > (ulong)(_data.Length - _position))
        {
            bytes = default;
            return false;
        }

        bytes = _data.Slice(_position, (int)length);
        _position += (int)length;
        return true;
    }

    public bool TryFixed32(out uint value)
    {
        value = 0;
        if (_data.Length - _position < 4)
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt32LittleEndian(_data[_position..]);
        _position += 4;
        return true;
    }

    public bool TryFixed64(out ulong value)
    {
        value = 0;
        if (_data.Length - _position < 8)
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt64LittleEndian(_data[_position..]);
        _position += 8;
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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryLongVarint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (_position >= _data.Length)
            {
                return false;
            }

            var next = _data[_position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Wire types of protobuf.</summary>
internal static class WireType
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int Bytes = 2;
    public const int Fixed32 = 5;
}
