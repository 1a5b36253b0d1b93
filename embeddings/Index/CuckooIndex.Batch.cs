using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Monolith.Embeddings.Index;

/// <summary>An id on its way through the pipeline.</summary>
internal unsafe struct Probe
{
    /// <summary>The id's hash.</summary>
    public ulong Hash;

    /// <summary>The bucket to look into next; null when the id is found, or is known to be absent.</summary>
    public byte* Bucket;

    /// <summary>Where the row lies, once it is found.</summary>
    public byte* Address;

    /// <summary>The id's row, once found.</summary>
    public uint Row;

    /// <summary>Whether it is found.</summary>
    public bool Found;
}

/// <content>
/// The stages of a batch. While the first bucket of one block of ids is on its way from memory, the second bucket or the row
/// of the block before is, and the rows of the block before that are worked on.
/// </content>
internal sealed unsafe partial class CuckooIndex
{
    /// <summary>First stage: asks memory for the first buckets.</summary>
    public void Start(ulong* ids, int count, Probe* probes)
    {
        // Locals, for the loop to keep in registers: the compiler must assume that a store through a pointer hits a field.
        var hasher = _hash;
        var directory = _directory;
        var shift = 63 - _depth;
        var slabs = _pages.View;
        for (var i = 0; i < count; i++)
        {
            var hash = hasher.Of(ids[i]);
            var table = directory + (int)((hash >> 1) >> shift);
            var at = IdHash.Reduce((uint)hash, table->Buckets);
            var bucket = slabs.Of(table->Pages[at / SubTable.BucketsPerPage]) + ((nuint)(at % SubTable.BucketsPerPage) * Index.Bucket.Bytes);
            Prefetch(bucket);
            probes[i].Hash = hash;
            probes[i].Bucket = bucket;
        }
    }

    /// <summary>Looks into the bucket a probe points at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Look(ulong id, Probe* probe)
    {
        var match = Index.Bucket.Match(probe->Bucket, id);
        probe->Found = match != 0;
        if (match != 0)
        {
            probe->Row = Index.Bucket.Row(probe->Bucket, BitOperations.TrailingZeroCount(match));
            probe->Bucket = null;
            return true;
        }

        return false;
    }

    /// <summary>After a miss in the first bucket: asks memory for the second, where the id may lie in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void GoOn(Probe* probe)
    {
        var second = IdHash.Second(probe->Hash);
        if (Index.Bucket.MayBeAway(probe->Bucket, second))
        {
            probe->Bucket = SecondBucket(probe->Hash, second);
            Prefetch(probe->Bucket);
        }
        else
        {
            probe->Bucket = null;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(byte* line)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(line);
        }
        else if (System.Runtime.Intrinsics.Arm.ArmBase.IsSupported)
        {
            // No portable prefetch: reading a byte starts the load, and nothing waits for it.
            _ = Volatile.Read(ref *line);
        }
    }
}
