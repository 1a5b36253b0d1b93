using System.Buffers.Binary;
using System.Text;

namespace Monolith.Events.Embedded;

/// <summary>
/// A stored batch: records of one partition with consecutive offsets and one append time.
/// <code>
/// int32 count | int64 append time, ms | count × record
/// record: varint key length, key, varint value length, value, varint headers, headers × (varint length, name, varint length, value)
/// </code>
/// </summary>
internal static class BatchCodec
{
    /// <summary>Bytes before the first record.</summary>
    public const int HeaderBytes = 12;

    public static void WriteHeader(Span<byte> batch, int count, long appendTimeMs)
    {
        BinaryPrimitives.WriteInt32LittleEndian(batch, count);
        BinaryPrimitives.WriteInt64LittleEndian(batch[4..], appendTimeMs);
    }

    public static int Count(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt32LittleEndian(batch);

    public static long AppendTimeMs(ReadOnlySpan<byte> batch) => BinaryPrimitives.ReadInt64LittleEndian(batch[4..]);

    public static int Size(in NewRecord record)
    {
        var size = Sized(record.Key.Length) + Sized(record.Value.Length);
        if (record.Headers is not { Count: > 0 } headers)
        {
            return size + 1;
        }

        size += VarintSize(headers.Count);
        foreach (var header in headers)
        {
            size += Sized(Encoding.UTF8.GetByteCount(header.Name)) + Sized(header.Value.Length);
        }

        return size;
    }

    public static int Write(Span<byte> to, in NewRecord record)
    {
        var at = WriteBytes(to, record.Key.Span);
        at += WriteBytes(to[at..], record.Value.Span);
        at += WriteVarint(to[at..], record.Headers?.Count ?? 0);
        foreach (var header in record.Headers ?? [])
        {
            var length = Encoding.UTF8.GetByteCount(header.Name);
            at += WriteVarint(to[at..], length);
            at += Encoding.UTF8.GetBytes(header.Name, to[at..]);
            at += WriteBytes(to[at..], header.Value.Span);
        }

        return at;
    }

    /// <summary>Reads the record at <paramref name="at"/> and moves past it.</summary>
    public static EventRecord Read(ReadOnlyMemory<byte> batch, ref int at, long offset, long appendTimeMs)
    {
        var key = ReadBytes(batch, ref at);
        var value = ReadBytes(batch, ref at);
        var count = ReadVarint(batch.Span, ref at);
        if (count == 0)
        {
            return new EventRecord(offset, appendTimeMs, key, value);
        }

        var headers = new EventHeader[count];
        for (var i = 0; i < count; i++)
        {
            var name = Encoding.UTF8.GetString(ReadBytes(batch, ref at).Span);
            headers[i] = new EventHeader(name, ReadBytes(batch, ref at));
        }

        return new EventRecord(offset, appendTimeMs, key, value) { Headers = headers };
    }

    /// <summary>Moves past a record.</summary>
    public static void Skip(ReadOnlySpan<byte> batch, ref int at)
    {
        SkipBytes(batch, ref at);
        SkipBytes(batch, ref at);
        for (var parts = 2 * ReadVarint(batch, ref at); parts > 0; parts--)
        {
            SkipBytes(batch, ref at);
        }
    }

    private static void SkipBytes(ReadOnlySpan<byte> batch, ref int at)
    {
        var length = ReadVarint(batch, ref at);
        at += length;
    }

    private static int Sized(int length) => VarintSize(length) + length;

    private static int VarintSize(int value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;

    private static int WriteVarint(Span<byte> to, int value)
    {
        var rest = (uint)value;
        var at = 0;
        while (rest >= 0x80)
        {
            to[at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        to[at++] = (byte)rest;
        return at;
    }

    private static int WriteBytes(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        var at = WriteVarint(to, bytes.Length);
        bytes.CopyTo(to[at..]);
        return at + bytes.Length;
    }

    private static int ReadVarint(ReadOnlySpan<byte> from, ref int at)
    {
        uint value = from[at++];
        if (value < 0x80)
        {
            return (int)value;
        }

        value &= 0x7f;
        for (var shift = 7; ; shift += 7)
        {
            var next = from[at++];
            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return (int)value;
            }
        }
    }

    private static ReadOnlyMemory<byte> ReadBytes(ReadOnlyMemory<byte> from, ref int at)
    {
        var length = ReadVarint(from.Span, ref at);
        var bytes = from.Slice(at, length);
        at += length;
        return bytes;
    }
}
