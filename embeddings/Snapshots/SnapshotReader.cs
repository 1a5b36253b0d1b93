using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Admission;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings.Snapshots;

/// <summary>Reads a snapshot block by block; anything wrong is an <see cref="InvalidDataException"/> that names it.</summary>
internal static class SnapshotReader
{
    public delegate void RowSink(ulong id, uint eventSeconds, ReadOnlySpan<float> floats);

    public static void Read(
        Stream stream, TableSpec spec, ulong seed, RowLayout layout, CountingFilter? filter, RowSink sink, Action<uint> newest)
    {
        Span<byte> start = stackalloc byte[12];
        Fill(stream, start, "the snapshot's start");
        if (BinaryPrimitives.ReadUInt64LittleEndian(start) != SnapshotFormat.Magic)
        {
            throw new InvalidDataException("this is no snapshot of an embedding table");
        }

        var version = BinaryPrimitives.ReadInt32LittleEndian(start[8..]);
        if (version != SnapshotFormat.Version)
        {
            throw new InvalidDataException($"the snapshot has format version {version}; this program reads {SnapshotFormat.Version}");
        }

        var rows = 0L;
        var expected = 0L;
        var stored = 0;
        for (var number = 0; ; number++)
        {
            var (kind, payload) = Block(stream, number);
            switch (kind)
            {
                case BlockKind.Header when number == 0:
                    (stored, expected) = Header(payload, spec, seed, layout, newest);
                    break;
                case BlockKind.Rows when number > 0:
                    rows += Rows(payload, stored, number, sink);
                    break;
                case BlockKind.Filter when number > 0:
                    Filter(payload, filter);
                    break;
                case BlockKind.End when number > 0:
                    if (rows != expected || payload.Length != 8 || BinaryPrimitives.ReadInt64LittleEndian(payload) != rows)
                    {
                        throw new InvalidDataException($"the snapshot holds {rows} rows; its header promises {expected}");
                    }

                    return;
                default:
                    throw new InvalidDataException($"block {number} of the snapshot has kind {(int)kind}, which does not belong there");
            }
        }
    }

    private static (int Stored, long Rows) Header(byte[] payload, TableSpec spec, ulong seed, RowLayout layout, Action<uint> newest)
    {
        if (payload.Length < 32)
        {
            throw new InvalidDataException("the snapshot's header is too short");
        }

        var name = Encoding.UTF8.GetString(payload.AsSpan(32));
        if (name != spec.Name)
        {
            throw new InvalidDataException($"the snapshot is of table '{name}', not of '{spec.Name}'");
        }

        var dimension = BinaryPrimitives.ReadInt32LittleEndian(payload.AsSpan(8));
        var state = BinaryPrimitives.ReadInt32LittleEndian(payload.AsSpan(12));
        var training = BinaryPrimitives.ReadInt32LittleEndian(payload.AsSpan(16)) == (int)TableContent.Training;
        var needed = layout.RowBytes / sizeof(float);
        var stored = dimension + (training ? state : 0);
        if (dimension != layout.Dimension || state != layout.StateFloats || stored < needed)
        {
            throw new InvalidDataException(
                $"the snapshot's rows have {dimension} values and {(training ? state : 0)} floats of state; " +
                $"table '{name}' has {layout.Dimension} and {layout.StateFloats}");
        }

        if (BinaryPrimitives.ReadUInt64LittleEndian(payload) != seed)
        {
            throw new InvalidDataException($"the snapshot of table '{name}' was written with another seed");
        }

        newest(BinaryPrimitives.ReadUInt32LittleEndian(payload.AsSpan(20)));
        return (stored, BinaryPrimitives.ReadInt64LittleEndian(payload.AsSpan(24)));
    }

    private static int Rows(byte[] payload, int stored, int number, RowSink sink)
    {
        var width = 12 + (stored * sizeof(float));
        if (payload.Length % width != 0)
        {
            throw new InvalidDataException($"block {number} of the snapshot holds {payload.Length} bytes, not a number of rows of {width}");
        }

        for (var at = 0; at < payload.Length; at += width)
        {
            var row = payload.AsSpan(at, width);
            sink(
                BinaryPrimitives.ReadUInt64LittleEndian(row),
                BinaryPrimitives.ReadUInt32LittleEndian(row[8..]),
                MemoryMarshal.Cast<byte, float>(row[12..]));
        }

        return payload.Length / width;
    }

    private static void Filter(byte[] payload, CountingFilter? filter)
    {
        if (filter is null)
        {
            return;
        }

        var cells = MemoryMarshal.Cast<byte, ushort>(payload.AsSpan(8));
        if (cells.Length != filter.State.Cells.Length)
        {
            throw new InvalidDataException($"the snapshot's admission filter has {cells.Length} cells, the table's {filter.State.Cells.Length}");
        }

        filter.Restore(cells, BinaryPrimitives.ReadInt32LittleEndian(payload), BinaryPrimitives.ReadInt32LittleEndian(payload.AsSpan(4)));
    }

    private static (BlockKind Kind, byte[] Payload) Block(Stream stream, int number)
    {
        Span<byte> frame = stackalloc byte[16];
        Fill(stream, frame, $"block {number}");
        var kind = (BlockKind)BinaryPrimitives.ReadInt32LittleEndian(frame);
        var length = BinaryPrimitives.ReadInt32LittleEndian(frame[4..]);
        if (length is < 0 or > SnapshotFormat.MaxBlockBytes)
        {
            throw new InvalidDataException($"block {number} of the snapshot claims {length} bytes; at most {SnapshotFormat.MaxBlockBytes} are allowed");
        }

        var payload = new byte[length];
        Fill(stream, payload, $"block {number}");
        if (SnapshotFormat.Checksum(payload, kind, number) != BinaryPrimitives.ReadUInt64LittleEndian(frame[8..]))
        {
            throw new InvalidDataException($"block {number} of the snapshot is damaged: its checksum does not match");
        }

        return (kind, payload);
    }

    private static void Fill(Stream stream, Span<byte> into, string what)
    {
        if (stream.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) < into.Length)
        {
            throw new InvalidDataException($"the snapshot ends inside {what}");
        }
    }
}
