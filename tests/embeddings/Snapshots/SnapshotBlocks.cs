using System.Buffers.Binary;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Snapshots;

/// <summary>A block of a snapshot without its frame.</summary>
internal sealed record SnapshotBlock(int Kind, byte[] Payload);

/// <summary>Takes snapshots apart and puts them together with right lengths and checksums.</summary>
internal static class SnapshotBlocks
{
    public static List<SnapshotBlock> Of(byte[] snapshot)
    {
        var blocks = new List<SnapshotBlock>();
        for (var at = SnapshotFormat.StartBytes; at < snapshot.Length;)
        {
            var kind = BinaryPrimitives.ReadInt32LittleEndian(snapshot.AsSpan(at));
            var length = BinaryPrimitives.ReadInt32LittleEndian(snapshot.AsSpan(at + 4));
            at += SnapshotFormat.FrameBytes;
            blocks.Add(new SnapshotBlock(kind, snapshot[at..(at + length)]));
            at += length;
        }

        return blocks;
    }

    /// <summary>Where a block lies in the snapshot, its frame included.</summary>
    public static (int Start, int End) Frame(IReadOnlyList<SnapshotBlock> blocks, int number)
    {
        var start = SnapshotFormat.StartBytes + blocks.Take(number).Sum(b => SnapshotFormat.FrameBytes + b.Payload.Length);
        return (start, start + SnapshotFormat.FrameBytes + blocks[number].Payload.Length);
    }

    public static byte[] Join(IReadOnlyList<SnapshotBlock> blocks)
    {
        var stream = new MemoryStream();
        Span<byte> frame = stackalloc byte[SnapshotFormat.FrameBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, SnapshotFormat.Magic);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], SnapshotFormat.Version);
        stream.Write(frame[..SnapshotFormat.StartBytes]);
        for (var number = 0; number < blocks.Count; number++)
        {
            var (kind, payload) = blocks[number];
            BinaryPrimitives.WriteInt32LittleEndian(frame, kind);
            BinaryPrimitives.WriteInt32LittleEndian(frame[4..], payload.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(frame[8..], SnapshotFormat.Checksum(payload, (BlockKind)kind, number));
            stream.Write(frame);
            stream.Write(payload);
        }

        return stream.ToArray();
    }
}
