using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Monolith.Embeddings.Admission;

namespace Monolith.Embeddings.Snapshots;

/// <summary>Lays rows out in blocks for a <see cref="BlockSink"/>.</summary>
internal sealed unsafe class SnapshotWriter(BlockSink sink, int rowBytes)
{
    private readonly int _width = SnapshotFormat.RowHeadBytes + rowBytes;
    private byte* _block;
    private byte* _at;
    private byte* _end;

    /// <summary>Rows written.</summary>
    public long Rows { get; private set; }

    /// <summary>Deleted ids written.</summary>
    public long Deleted { get; private set; }

    public void Header(SnapshotHeader header, string name)
    {
        var text = Encoding.UTF8.GetBytes(name);
        var block = sink.Rent();
        var payload = Payload(block);
        MemoryMarshal.Write(payload, in header);
        text.CopyTo(payload[sizeof(SnapshotHeader)..]);
        sink.Submit(block, sizeof(SnapshotHeader) + text.Length, BlockKind.Header);
    }

    /// <summary>Appends a row.</summary>
    public void Row(ulong id, uint seconds, int occurrences, byte* row)
    {
        if (_end - _at < _width)
        {
            NextBlock();
        }

        Unsafe.WriteUnaligned(_at, id);
        Unsafe.WriteUnaligned(_at + 8, seconds);
        Unsafe.WriteUnaligned(_at + 12, (ushort)occurrences);
        Unsafe.CopyBlockUnaligned(_at + SnapshotFormat.RowHeadBytes, row, (uint)rowBytes);
        _at += _width;
        Rows++;
    }

    public void Filter(CountingFilter filter)
    {
        var (cells, newest, used) = filter.State;
        const int Piece = (SnapshotFormat.BlockBytes / sizeof(ushort)) - 8;
        for (var from = 0; from < cells.Length; from += Piece)
        {
            var block = sink.Rent();
            var count = Math.Min(Piece, cells.Length - from);
            var payload = Payload(block);
            MemoryMarshal.Cast<int, byte>([newest, used, cells.Length, from]).CopyTo(payload);
            MemoryMarshal.AsBytes(cells.AsSpan(from, count)).CopyTo(payload[16..]);
            sink.Submit(block, 16 + (count * sizeof(ushort)), BlockKind.Filter);
        }
    }

    public void Deletions(ReadOnlySpan<ulong> ids)
    {
        const int Piece = SnapshotFormat.BlockBytes / sizeof(ulong);
        for (var from = 0; from < ids.Length; from += Piece)
        {
            var piece = MemoryMarshal.AsBytes(ids.Slice(from, Math.Min(Piece, ids.Length - from)));
            var block = sink.Rent();
            piece.CopyTo(Payload(block));
            sink.Submit(block, piece.Length, BlockKind.Deleted);
        }

        Deleted += ids.Length;
    }

    public void End()
    {
        Flush();
        var block = sink.Rent();
        MemoryMarshal.Cast<long, byte>([Rows, Deleted]).CopyTo(Payload(block));
        sink.Submit(block, 16, BlockKind.End);
    }

    private static Span<byte> Payload(byte* block) => new(block + SnapshotFormat.FrameBytes, SnapshotFormat.BlockBytes);

    private void NextBlock()
    {
        Flush();
        _block = sink.Rent();
        _at = _block + SnapshotFormat.FrameBytes;
        _end = _at + SnapshotFormat.BlockBytes;
    }

    private void Flush()
    {
        if (_block != null)
        {
            sink.Submit(_block, (int)(_at - _block) - SnapshotFormat.FrameBytes, BlockKind.Rows);
            _block = _at = _end = null;
        }
    }
}
