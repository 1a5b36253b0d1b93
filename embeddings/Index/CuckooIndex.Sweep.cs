using System.Numerics;

namespace Monolith.Embeddings.Index;

/// <summary>An id and its row.</summary>
internal struct IndexEntry
{
    /// <summary>The id.</summary>
    public ulong Id;

    /// <summary>Its row.</summary>
    public uint Row;
}

/// <summary>
/// Where a sweep over the index stands. Sub-tables come in the order of their hash prefix, which neither growth nor
/// shrinking changes, so a sweep may stop between any two calls and go on later.
/// </summary>
internal struct SweepCursor
{
    /// <summary>Hashes below this are done.</summary>
    public ulong Prefix;

    /// <summary>
    /// Buckets of the present sub-table that are done. An insertion between two reads of one sub-table may move an id to one of
    /// them, and the sweep misses it then: whoever must see all ids reads whole sub-tables.
    /// </summary>
    public uint Bucket;

    /// <summary>The generation those buckets belong to; a rebuilt sub-table starts again.</summary>
    public int Generation;
}

/// <content>Reading all entries, a piece at a time.</content>
internal sealed unsafe partial class CuckooIndex
{
    /// <summary>Entries a sub-table can have: room a whole one needs.</summary>
    public const int MaxEntries = SubTable.MaxPages * SubTable.EntriesPerPage;

    /// <summary>Room a read needs at least: a bucket.</summary>
    public const int EntriesPerRead = Bucket.Entries;

    /// <summary>Whether a sweep has passed a hash: sub-tables are passed as a whole.</summary>
    public static bool Passed(in SweepCursor cursor, ulong hash) => hash < cursor.Prefix;

    /// <summary>Calls for every entry.</summary>
    public void ForEach(Action<ulong, uint> action)
    {
        var entries = new IndexEntry[1024];
        var cursor = new SweepCursor { Generation = -1 };
        bool wrapped;
        do
        {
            var read = Read(ref cursor, entries, out wrapped);
            for (var i = 0; i < read; i++)
            {
                action(entries[i].Id, entries[i].Row);
            }
        }
        while (!wrapped);
    }

    /// <summary>
    /// Reads on from a cursor: up to the room, or to the end of the sub-table.
    /// </summary>
    /// <param name="cursor">Moves on.</param>
    /// <param name="into">Entries read; room for at least one bucket.</param>
    /// <param name="wrapped">True when the last sub-table is done; the cursor is at the start again.</param>
    /// <returns>Entries read.</returns>
    public int Read(ref SweepCursor cursor, Span<IndexEntry> into, out bool wrapped)
    {
        var place = First(Place(cursor.Prefix));
        var table = _directory + place;
        if (cursor.Generation != _info[place].Generation)
        {
            cursor.Bucket = 0;
            cursor.Generation = _info[place].Generation;
        }

        // After a merge, the lower part of a sub-table may be done already.
        var partly = (cursor.Prefix << _info[place].Depth) != 0;
        var read = 0;
        for (; cursor.Bucket < table->Buckets && read + Bucket.Entries <= into.Length; cursor.Bucket++)
        {
            var bucket = BucketAt(table, cursor.Bucket);
            for (var used = Bucket.Used(bucket); used != 0; used &= used - 1)
            {
                var entry = BitOperations.TrailingZeroCount(used);
                var id = Bucket.Id(bucket, entry);
                if (partly && Hash(id) < cursor.Prefix)
                {
                    continue;
                }

                into[read].Id = id;
                into[read++].Row = Bucket.Row(bucket, entry);
            }
        }

        wrapped = false;
        if (cursor.Bucket == table->Buckets)
        {
            // A depth of 0 shifts by 64, which is no shift at all: that sub-table is the only one.
            var next = _info[place].Depth == 0 ? 0 : ((cursor.Prefix >> (64 - _info[place].Depth)) + 1) << (64 - _info[place].Depth);
            cursor = new SweepCursor { Prefix = next, Generation = -1 };
            wrapped = next == 0;
        }

        return read;
    }
}
