using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Index;

/// <summary>
/// From 64-bit ids to row numbers: bucketized cuckoo hashing (Pagh, Rodler: "Cuckoo Hashing", 2001; buckets: Dietzfelbinger,
/// Weidling, 2007) in many small sub-tables under a directory by hash prefix (Fagin et al.: "Extendible Hashing", 1979).
/// An id lies in one of two buckets of its sub-table. A sub-table that is full grows by one to three pages, or splits; the
/// steps are random, so that sub-tables do not grow in step and the index is about equally full at any size.
/// </summary>
/// <remarks>
/// Growth is deferred: a sub-table past <see cref="SoftLoad"/> waits its turn and <see cref="GrowSome"/> serves a few of
/// them a batch, so no batch pays for many. Only one that cannot take an id at all grows at once.
/// </remarks>
internal sealed unsafe partial class CuckooIndex : IDisposable
{
    /// <summary>A sub-table this full asks to grow.</summary>
    public const double SoftLoad = 0.96;

    private readonly UnitStore _pages;
    private readonly List<uint> _retired = [];
    private readonly IdHash _hash;
    private SubTable* _directory;
    private SubTableInfo* _info;
    private int _depth;
    private ulong _random;

    /// <summary>Creates an empty index of one page.</summary>
    public CuckooIndex(SlabPool pool, IdHash hash)
    {
        _pages = new UnitStore(pool, SubTable.PageBytes, sideBytes: 0);
        _hash = hash;
        _random = hash.Of(0x9e3779b97f4a7c15UL);
        _directory = Lines<SubTable>(1);
        _info = Lines<SubTableInfo>(1);
        *_directory = NewPages(1);
        *_info = default;
    }

    /// <summary>Ids.</summary>
    public long Count { get; private set; }

    /// <summary>Entries there is room for.</summary>
    public long Capacity { get; private set; }

    /// <summary>Sub-tables.</summary>
    public int SubTables { get; private set; } = 1;

    /// <summary>Memory held.</summary>
    public long Bytes => _pages.Bytes + ((1L << _depth) * (sizeof(SubTable) + sizeof(SubTableInfo)));

    /// <summary>The hash of an id, as the other methods want it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong id) => _hash.Of(id);

    /// <summary>The place in the directory of a hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Place(ulong hash) => (int)((hash >> 1) >> (63 - _depth));

    /// <summary>The first place of the sub-table that a place belongs to.</summary>
    private int First(int place) => place & -(1 << (_depth - _info[place].Depth));

    /// <summary>Address of a bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* BucketAt(SubTable* table, uint bucket) =>
        _pages.Address(table->Pages[bucket / SubTable.BucketsPerPage]) +
        ((nuint)(bucket % SubTable.BucketsPerPage) * Bucket.Bytes);

    /// <summary>An id's first bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* FirstBucket(ulong hash)
    {
        var table = _directory + Place(hash);
        return BucketAt(table, IdHash.Reduce((uint)hash, table->Buckets));
    }

    /// <summary>An id's second bucket.</summary>
    /// <param name="hash">The id's hash.</param>
    /// <param name="second"><see cref="IdHash.Second"/> of it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* SecondBucket(ulong hash, uint second)
    {
        var table = _directory + Place(hash);
        return BucketAt(table, IdHash.Reduce(second, table->Buckets));
    }

    /// <summary>Finds an id's row, one by one; batches go through <see cref="Probe"/>.</summary>
    public bool TryFind(ulong id, out uint row)
    {
        var bucket = Locate(id, out var entry);
        row = bucket == null ? 0 : Bucket.Row(bucket, entry);
        return bucket != null;
    }

    /// <summary>Inserts an id that is not there.</summary>
    public void Insert(ulong id, uint row)
    {
        var hash = Hash(id);
        while (true)
        {
            var place = Place(hash);
            if (TryPlace(_directory + place, id, hash, row))
            {
                ref var info = ref _info[First(place)];
                info.Count++;
                Count++;
                if (info.Count > SoftLoad * Bucket.Entries * _directory[place].Buckets && !info.Waits)
                {
                    info.Waits = true;
                    _waiting.Enqueue(hash);
                }

                return;
            }

            Grow(First(place));
        }
    }

    /// <summary>Removes an id.</summary>
    public bool Remove(ulong id, out uint row)
    {
        var bucket = Locate(id, out var entry);
        if (bucket == null)
        {
            row = 0;
            return false;
        }

        row = Bucket.Row(bucket, entry);
        Bucket.Remove(bucket, entry);
        var hash = Hash(id);
        var first = FirstBucket(hash);
        if (first != bucket)
        {
            Bucket.NoLongerAway(first);
        }

        var place = First(Place(hash));
        _info[place].Count--;
        Count--;
        if (_info[place].Count < ShrinkLoad * Bucket.Entries * _directory[place].Buckets)
        {
            Shrink(place);
        }

        return true;
    }

    /// <summary>
    /// Ends a batch: pages that a rebuild replaced stayed readable for the batch's probes under way, and go back now.
    /// </summary>
    public void EndBatch()
    {
        if (_retired.Count > 0)
        {
            foreach (var page in _retired)
            {
                _pages.Give(page);
            }

            _retired.Clear();
        }
    }

    public void Dispose()
    {
        _pages.Dispose();
        NativeMemory.AlignedFree(_directory);
        NativeMemory.AlignedFree(_info);
        _directory = null;
        _info = null;
    }

    private byte* Locate(ulong id, out int entry)
    {
        var hash = Hash(id);
        var bucket = FirstBucket(hash);
        var match = Bucket.Match(bucket, id);
        if (match == 0)
        {
            var second = IdHash.Second(hash);
            if (!Bucket.MayBeAway(bucket, second))
            {
                entry = 0;
                return null;
            }

            bucket = SecondBucket(hash, second);
            match = Bucket.Match(bucket, id);
        }

        entry = BitOperations.TrailingZeroCount(match);
        return match == 0 ? null : bucket;
    }

    private static T* Lines<T>(int count)
        where T : unmanaged => (T*)NativeMemory.AlignedAlloc((nuint)count * (nuint)sizeof(T), 64);
}
