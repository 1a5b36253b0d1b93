using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Monolith.Embeddings.Snapshots;

/// <summary>What is written where; docs/snapshot-format.md describes it for other readers. Little-endian.</summary>
internal static class SnapshotFormat
{
    /// <summary>First bytes of a table's snapshot: "MONOTBL1".</summary>
    public const ulong Magic = 0x314C42544F4E4F4D;

    /// <summary>Version of the format.</summary>
    public const int Version = 2;

    /// <summary>Bytes before the first block: magic and version.</summary>
    public const int StartBytes = 12;

    /// <summary>Bytes before a block's payload: kind, length, checksum.</summary>
    public const int FrameBytes = 16;

    /// <summary>Largest payload of a block, in bytes: two blocks with their frames fill a slab.</summary>
    public const int BlockBytes = (1 << 20) - FrameBytes;

    /// <summary>Bytes of a row before its values: id, event time, occurrences.</summary>
    public const int RowHeadBytes = 14;

    /// <summary>Checksum of a block: its place and kind are part of it, so a moved or repeated block is noticed.</summary>
    public static ulong Checksum(ReadOnlySpan<byte> payload, BlockKind kind, int number) =>
        XxHash3.HashToUInt64(payload, ((long)kind << 32) | (uint)number);
}

/// <summary>Kinds of blocks.</summary>
internal enum BlockKind
{
    /// <summary>What this is a snapshot of.</summary>
    Header = 1,

    /// <summary>Rows.</summary>
    Rows = 2,

    /// <summary>A piece of the admission filter.</summary>
    Filter = 3,

    /// <summary>Ids deleted since the snapshot before.</summary>
    Deleted = 4,

    /// <summary>The end, with totals.</summary>
    End = 5,
}

/// <summary>The header's fixed part; the table's name follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct SnapshotHeader
{
    /// <summary>Names this snapshot; never 0.</summary>
    public ulong Id;

    /// <summary>The snapshot this one says the changes since; 0: it is full.</summary>
    public ulong Base;

    /// <summary>Names the initial values.</summary>
    public ulong Seed;

    /// <summary>Updates of the table so far.</summary>
    public long Step;

    /// <summary>Newest event time seen.</summary>
    public uint NewestEventSeconds;

    /// <summary>Values a row.</summary>
    public int Dimension;

    /// <summary>Floats of state a row.</summary>
    public int StateFloats;

    /// <summary>How values are kept: a <c>RowPrecision</c>.</summary>
    public int Precision;
}
