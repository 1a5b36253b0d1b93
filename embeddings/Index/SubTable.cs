using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Index;

/// <summary>
/// The part of the index that holds all ids of one hash prefix: a small cuckoo table of its own, on 1 to 15 pages. One
/// cache line, so that finding a bucket touches one line besides the bucket's own.
/// </summary>
internal unsafe struct SubTable
{
    /// <summary>Pages a sub-table may have; a larger one is split in two.</summary>
    public const int MaxPages = 15;

    /// <summary>Buckets a page: 16 KiB.</summary>
    public const int BucketsPerPage = 256;

    /// <summary>Bytes a page.</summary>
    public const int PageBytes = BucketsPerPage * Bucket.Bytes;

    /// <summary>Pages a slab.</summary>
    public const int PagesPerSlab = SlabPool.SlabBytes / PageBytes;

    /// <summary>Entries a page.</summary>
    public const int EntriesPerPage = BucketsPerPage * Bucket.Entries;

    /// <summary>Buckets now.</summary>
    public uint Buckets;

    /// <summary>The pages, as units of the page store.</summary>
    public fixed uint Pages[MaxPages];

    /// <summary>Pages now.</summary>
    public readonly int PageCount => (int)(Buckets / BucketsPerPage);
}

/// <summary>What is rarely needed of a sub-table; by its first place in the directory.</summary>
internal struct SubTableInfo
{
    /// <summary>Ids.</summary>
    public int Count;

    /// <summary>Bits of the hash prefix.</summary>
    public int Depth;

    /// <summary>Raised by every rebuild: cursors into the buckets are void then.</summary>
    public int Generation;

    /// <summary>It waits for its growth.</summary>
    public bool Waits;
}
