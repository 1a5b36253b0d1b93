using System.Collections.Concurrent;

namespace Monolith.Ingestion.Joining;

/// <summary>Memory for what is pending, in blocks, shared by the partitions of a joiner.</summary>
internal sealed class JoinMemory(long budgetBytes, int blockBytes = JoinMemory.DefaultBlockBytes)
{
    private const int DefaultBlockBytes = 64 << 10;
    private readonly ConcurrentBag<byte[]> _free = [];
    private long _used;

    public int BlockBytes { get; } = blockBytes;

    /// <summary>Bytes in blocks that hold something.</summary>
    public long UsedBytes => Interlocked.Read(ref _used);

    /// <summary>Whether so many bytes more would be too many.</summary>
    public bool IsOver(long more) => UsedBytes + more > budgetBytes;

    /// <summary>A block of the usual size, or a larger one for what does not fit into that.</summary>
    public byte[] Rent(int atLeast)
    {
        var block = atLeast <= BlockBytes && _free.TryTake(out var free) ? free : Allocate(Math.Max(BlockBytes, atLeast));
        Interlocked.Add(ref _used, block.Length);
        return block;
    }

    // Pinned, so that the collector never copies it.
    private static byte[] Allocate(int bytes) => GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

    public void Return(byte[] block)
    {
        Interlocked.Add(ref _used, -block.Length);
        if (block.Length == BlockBytes)
        {
            _free.Add(block);
        }
    }
}
