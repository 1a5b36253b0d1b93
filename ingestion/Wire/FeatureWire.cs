using System.Globalization;
using System.Text;

namespace Monolith.Ingestion.Wire;

/// <summary>Feature maps on the wire: entries of (1: name, 2: <c>FeatureValue</c>).</summary>
internal static class FeatureWire
{
    /// <summary>Whether an entry of a feature map is whole, down to its values.</summary>
    public static bool IsValid(ReadOnlySpan<byte> entry)
    {
        var reader = new ProtoReader(entry);
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            if (field == 2 && wireType == WireType.Bytes)
            {
                if (!reader.TryBytes(out var value) || !IsValidValue(value))
                {
                    return false;
                }
            }
            else if (field == 1 && wireType == WireType.Bytes)
            {
                if (!reader.TryBytes(out var name) || !IsUtf8(name))
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

    private static bool IsValidValue(ReadOnlySpan<byte> value)
    {
        var reader = new ProtoReader(value);
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            var valid = (field, wireType) switch
            {
                (1, WireType.Bytes) => reader.TryBytes(out var text) && IsUtf8(text),
                (4, WireType.Bytes) => reader.TryBytes(out var list) && IsValidList(list),
                (2, not WireType.Fixed64) or (3, not WireType.Varint) or (1, _) or (4, _) => false,
                _ => reader.TrySkip(wireType),
            };
            if (!valid)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsValidList(ReadOnlySpan<byte> list)
    {
        var reader = new ProtoReader(list);
        while (!reader.AtEnd)
        {
            if (!reader.TryTag(out var field, out var wireType))
            {
                return false;
            }

            var valid = field == 1
                ? wireType == WireType.Bytes && reader.TryBytes(out var text) && IsUtf8(text)
                : reader.TrySkip(wireType);
            if (!valid)
            {
                return false;
            }
        }

        return true;
    }
}
