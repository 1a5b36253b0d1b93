using System.Globalization;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Features;

namespace Monolith.Ingestion.Wire;

/// <summary>Feature maps on the wire: entries of (1: name, 2: <c>FeatureValue</c>).</summary>
internal static class FeatureWire
{
    /// <summary>Reads an entry of a feature map; false when it is damaged.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="name">The field's name.</param>
    /// <param name="value">Its value.</param>
    public static bool TryRead(ReadOnlySpan<byte> entry, out ReadOnlySpan<byte> name, out FieldValue value)
    {
        name = default;
        value = default;
        var reader = new ProtoReader(entry);
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            if (field == 2 && wireType == WireType.Bytes)
            {
                if (!reader.TryBytes(out var bytes) || !TryReadValue(bytes, ref value))
                {
                    return false;
                }
            }
            else if (field == 1 && wireType == WireType.Bytes)
            {
                if (!reader.TryBytes(out name) || !IsUtf8(name))
                {
                    return false;
                }
            }
            else if (field is 1 or 2 || !reader.TrySkip(wireType))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The canonical text of an entry's value when the entry has this name; null otherwise, or when it has several values.</summary>
    public static string? TextOf(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> name)
    {
        var reader = new ProtoReader(entry);
        ReadOnlySpan<byte> key = default;
        ReadOnlySpan<byte> value = default;
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            if (field == 1)
            {
                reader.TryBytes(out key);
            }
            else if (field == 2)
            {
                reader.TryBytes(out value);
            }
            else
            {
                reader.TrySkip(wireType);
            }
        }

        return key.SequenceEqual(name) ? TextOf(value) : null;
    }

    public static bool IsUtf8(ReadOnlySpan<byte> bytes)
    {
        // Names and ids are short and mostly ASCII.
        if (bytes.Length > 32)
        {
            return System.Text.Unicode.Utf8.IsValid(bytes);
        }

        var all = 0;
        foreach (var one in bytes)
        {
            all |= one;
        }

        return all < 0x80 || System.Text.Unicode.Utf8.IsValid(bytes);
    }

    private static string? TextOf(ReadOnlySpan<byte> value)
    {
        var reader = new ProtoReader(value);
        string? text = null;
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            switch (field, wireType)
            {
                case (1, WireType.Bytes):
                    reader.TryBytes(out var utf8);
                    text = Encoding.UTF8.GetString(utf8);
                    break;
                case (2, WireType.Fixed64):
                    reader.TryFixed64(out var bits);
                    text = BitConverter.UInt64BitsToDouble(bits).ToString(CultureInfo.InvariantCulture);
                    break;
                case (3, WireType.Varint):
                    reader.TryVarint(out var integer);
                    text = ((long)integer).ToString(CultureInfo.InvariantCulture);
                    break;
                default:
                    reader.TrySkip(wireType);
                    break;
            }
        }

        return text;
    }

    // Fields that come twice: the last one stands, and the values of lists add up, as protobuf says.
    private static bool TryReadValue(ReadOnlySpan<byte> bytes, ref FieldValue value)
    {
        var reader = new ProtoReader(bytes);
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            switch (field, wireType)
            {
                case (1, WireType.Bytes):
                    if (!reader.TryBytes(out var text) || !IsUtf8(text))
                    {
                        return false;
                    }

                    value = new FieldValue { Kind = FeatureValue.KindOneofCase.Text, Text = text };
                    break;
                case (2, WireType.Fixed64):
                    if (!reader.TryFixed64(out var bits))
                    {
                        return false;
                    }

                    value = new FieldValue { Kind = FeatureValue.KindOneofCase.Number, Number = BitConverter.UInt64BitsToDouble(bits) };
                    break;
                case (3, WireType.Varint):
                    if (!reader.TryVarint(out _))
                    {
                        return false;
                    }

                    value = new FieldValue { Kind = FeatureValue.KindOneofCase.Integer };
                    break;
                case (4, WireType.Bytes):
                    var count = value.Count;
                    if (!reader.TryBytes(out var list) || !TryCount(list, ref count))
                    {
                        return false;
                    }

                    value = new FieldValue { Kind = FeatureValue.KindOneofCase.List, Count = count };
                    break;
                case ( >= 1 and <= 4, _):
                    return false;
                default:
                    if (!reader.TrySkip(wireType))
                    {
                        return false;
                    }

                    break;
            }
        }

        return true;
    }

    private static bool TryCount(ReadOnlySpan<byte> list, ref int count)
    {
        var reader = new ProtoReader(list);
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            if (field == 1)
            {
                if (wireType != WireType.Bytes || !reader.TryBytes(out var text) || !IsUtf8(text))
                {
                    return false;
                }

                count++;
            }
            else if (!reader.TrySkip(wireType))
            {
                return false;
            }
        }

        return true;
    }
}
