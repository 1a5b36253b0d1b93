using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Monolith.Embeddings.Snapshots;

/// <summary>What a snapshot is read into.</summary>
internal interface ISnapshotTarget
{
    /// <summary>Checks the header; throws <see cref="InvalidDataException"/> when it is of something else.</summary>
    void Header(in SnapshotHeader header, string name);

    /// <summary>Takes rows, each <c>RowHeadBytes</c> and the row.</summary>
    void Rows(ReadOnlySpan<byte> rows, int count);

    /// <summary>Takes a piece of the filter.</summary>
    void Filter(int newest, int used, int length, int from, ReadOnlySpan<ushort> cells);

    /// <summary>Takes deleted ids.</summary>
    void Deleted(ReadOnlySpan<ulong> ids);
}

/// <summary>
/// Reads a snapshot block by block. Nothing of a block is used before its checksum is right; anything wrong is an
/// <see cref="InvalidDataException"/> that names it.
/// </summary>
internal sealed unsafe class SnapshotReader(Stream stream)
{
    private readonly byte[] _payload = new byte[SnapshotFormat.BlockBytes];
    private int _width;
    private long _rows;
    private long _deleted;

    /// <summary>Reads to the snapshot's end, and not a byte further.</summary>
    public void Read(ISnapshotTarget target)
    {
        Start();
        for (var number = 0; ; number++)
        {
            var (kind, length) = Block(number);
            var payload = _payload.AsSpan(0, length);
            switch (kind)
            {
                case BlockKind.Header when number == 0 && length >= sizeof(SnapshotHeader):
                    Header(payload, target);
                    break;
                case BlockKind.Rows when number > 0:
                    Rows(payload, number, target);
                    break;
                case BlockKind.Filter when number > 0 && length >= 16:
                    var head = MemoryMarshal.Cast<byte, int>(payload[..16]);
                    target.Filter(head[0], head[1], head[2], head[3], MemoryMarshal.Cast<byte, ushort>(payload[16..]));
                    break;
                case BlockKind.Deleted when number > 0:
                    _deleted += length / sizeof(ulong);
                    target.Deleted(MemoryMarshal.Cast<byte, ulong>(payload));
                    break;
                case BlockKind.End when number > 0 && length == 16:
                    End(payload);
                    return;
                default:
                    throw new InvalidDataException(
                        $"block {number} of the snapshot is of kind {(int)kind} with {length} bytes, which does not belong there");
            }
        }
    }

    private void Start()
    {
        Span<byte> start = stackalloc byte[SnapshotFormat.StartBytes];
        Fill(start, "its first bytes");
        if (BinaryPrimitives.ReadUInt64LittleEndian(start) != SnapshotFormat.Magic)
        {
            throw new InvalidDataException("this is no snapshot of an embedding table");
        }

        var version = BinaryPrimitives.ReadInt32LittleEndian(start[8..]);
        if (version != SnapshotFormat.Version)
        {
            throw new InvalidDataException($"the snapshot has format version {version}; this program reads {SnapshotFormat.Version}");
        }
    }

    private void Header(ReadOnlySpan<byte> payload, ISnapshotTarget target)
    {
        var header = MemoryMarshal.Read<SnapshotHeader>(payload);
        target.Header(header, Encoding.UTF8.GetString(payload[sizeof(SnapshotHeader)..]));
        _width = SnapshotFormat.RowHeadBytes + StoredRow.Of(header).Bytes;
    }

    private void Rows(ReadOnlySpan<byte> payload, int number, ISnapshotTarget target)
    {
        if (payload.Length % _width != 0)
        {
            throw new InvalidDataException($"block {number} of the snapshot holds {payload.Length} bytes, not a number of rows of {_width}");
        }

        _rows += payload.Length / _width;
        target.Rows(payload, payload.Length / _width);
    }

    private void End(ReadOnlySpan<byte> payload)
    {
        var rows = BinaryPrimitives.ReadInt64LittleEndian(payload);
        var deleted = BinaryPrimitives.ReadInt64LittleEndian(payload[8..]);
        if (rows != _rows || deleted != _deleted)
        {
            throw new InvalidDataException(
                $"the snapshot holds {_rows} rows and {_deleted} deletions; its end promises {rows} and {deleted}");
        }
    }

    private (BlockKind Kind, int Length) Block(int number)
    {
        Span<byte> frame = stackalloc byte[SnapshotFormat.FrameBytes];
        Fill(frame, $"block {number}");
        var kind = (BlockKind)BinaryPrimitives.ReadInt32LittleEndian(frame);
        var length = BinaryPrimitives.ReadInt32LittleEndian(frame[4..]);
        if (length is < 0 or > SnapshotFormat.BlockBytes)
        {
            throw new InvalidDataException(
                $"block {number} of the snapshot claims {length} bytes; at most {SnapshotFormat.BlockBytes} are allowed");
        }

        Fill(_payload.AsSpan(0, length), $"block {number}");
        if (SnapshotFormat.Checksum(_payload.AsSpan(0, length), kind, number) != BinaryPrimitives.ReadUInt64LittleEndian(frame[8..]))
        {
            throw new InvalidDataException($"block {number} of the snapshot is damaged: its checksum does not match");
        }

        return (kind, length);
    }

    private void Fill(Span<byte> into, string what)
    {
        if (stream.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) < into.Length)
        {
            throw new InvalidDataException($"the snapshot ends inside {what}");
        }
    }
}
