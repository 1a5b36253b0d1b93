using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Admission;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings.Snapshots;

/// <summary>Writes a snapshot block by block.</summary>
internal sealed class SnapshotWriter(Stream stream)
{
    private readonly ArrayBufferWriter<byte> _payload = new();
    private int _number;
    private long _rows;

    public void Header(TableSpec spec, ulong seed, RowLayout layout, TableContent content, uint newestEventSeconds, long rows)
    {
        Span<byte> start = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(start, SnapshotFormat.Magic);
        BinaryPrimitives.WriteInt32LittleEndian(start[8..], SnapshotFormat.Version);
        stream.Write(start);
        Write(seed);
        Write(layout.Dimension);
        Write(layout.StateFloats);
        Write((int)content);
        Write(newestEventSeconds);
        Write(rows);
        _payload.Write(Encoding.UTF8.GetBytes(spec.Name));
        Flush(BlockKind.Header);
    }

    public void Row(ulong id, uint eventSeconds, ReadOnlySpan<float> floats)
    {
        Write(id);
        Write(eventSeconds);
        _payload.Write(MemoryMarshal.AsBytes(floats));
        _rows++;
        if (_payload.WrittenCount >= SnapshotFormat.BlockBytes)
        {
            Flush(BlockKind.Rows);
        }
    }

    public void Filter(CountingFilter filter)
    {
        FlushRows();
        var (cells, newest, used) = filter.State;
        Write(newest);
        Write(used);
        _payload.Write(MemoryMarshal.AsBytes(cells.AsSpan()));
        Flush(BlockKind.Filter);
    }

    public void End()
    {
        FlushRows();
        Write(_rows);
        Flush(BlockKind.End);
    }

    private void FlushRows()
    {
        if (_payload.WrittenCount > 0)
        {
            Flush(BlockKind.Rows);
        }
    }

    private void Write<T>(T value)
        where T : unmanaged => _payload.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    private void Flush(BlockKind kind)
    {
        var payload = _payload.WrittenSpan;
        Span<byte> frame = stackalloc byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(frame, (int)kind);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[8..], SnapshotFormat.Checksum(payload, kind, _number++));
        stream.Write(frame);
        stream.Write(payload);
        _payload.ResetWrittenCount();
    }
}
