using System.IO.Hashing;

namespace Monolith.Embeddings.Snapshots;

/// <summary>What is written where; docs/snapshot-format.md describes it for other readers. Little-endian.</summary>
internal static class SnapshotFormat
{
    /// <summary>First bytes of a table's snapshot: "MONOTBL1".</summary>
    public const ulong Magic = 0x314C42544F4E4F4D;

    /// <summary>Version of the format.</summary>
    public const int Version = 1;

    /// <summary>Largest payload of a block, in bytes: a bound for readers.</summary>
    public const int MaxBlockBytes = 1 << 24;

    /// <summary>Rows a block holds, as near as possible, in bytes.</summary>
    public const int BlockBytes = 1 << 18;

    /// <summary>Checksum of a block: its place and kind are part of it, so a moved or repeated block is noticed.</summary>
    public static ulong Checksum(ReadOnlySpan<byte> payload, BlockKind kind, int number) =>
        XxHash3.HashToUInt64(payload, ((long)kind << 32) | (uint)number);
}

/// <summary>Kinds of blocks.</summary>
internal enum BlockKind
{
    /// <summary>What table this is.</summary>
    Header = 1,

    /// <summary>Rows.</summary>
    Rows = 2,

    /// <summary>The admission filter.</summary>
    Filter = 3,

    /// <summary>The end, with totals.</summary>
    End = 4,
}
