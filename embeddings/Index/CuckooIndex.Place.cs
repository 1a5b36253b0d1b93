using System.Runtime.CompilerServices;

namespace Monolith.Embeddings.Index;

/// <content>Placing an id: into its first bucket, its second, or along the shortest chain of moves.</content>
internal sealed unsafe partial class CuckooIndex
{
    /// <summary>Buckets looked at for a chain of moves, at most: the bound of an insertion's work.</summary>
    private const int MaxSearch = 256;

    private bool TryPlace(SubTable* table, ulong id, ulong hash, uint row)
    {
        var second = IdHash.Second(hash);
        var firstAt = IdHash.Reduce((uint)hash, table->Buckets);
        var first = BucketAt(table, firstAt);
        var free = Bucket.FirstFree(first);
        if (free < Bucket.Entries)
        {
            Bucket.Put(first, free, id, row);
            return true;
        }

        var secondAt = IdHash.Reduce(second, table->Buckets);
        var bucket = BucketAt(table, secondAt);
        free = Bucket.FirstFree(bucket);
        if (free == Bucket.Entries)
        {
            bucket = MakeRoom(table, firstAt, secondAt);
            if (bucket == null)
            {
                return false;
            }

            free = Bucket.FirstFree(bucket);
        }

        Bucket.Put(bucket, free, id, row);
        if (bucket != first)
        {
            Bucket.GoesAway(first, second);
        }

        return true;
    }

    /// <summary>
    /// Breadth-first search for the shortest chain of moves that frees an entry in one of two full buckets, which it returns;
    /// null when there is none within <see cref="MaxSearch"/> buckets.
    /// </summary>
    [SkipLocalsInit]
    private byte* MakeRoom(SubTable* table, uint firstAt, uint secondAt)
    {
        var nodes = stackalloc Node[MaxSearch];
        nodes[0] = new Node(firstAt, -1, 0);
        var count = 1;
        if (secondAt != firstAt)
        {
            nodes[count++] = new Node(secondAt, -1, 0);
        }

        for (var at = 0; at < count; at++)
        {
            var bucket = BucketAt(table, nodes[at].Bucket);
            for (var entry = 0; entry < Bucket.Entries; entry++)
            {
                var other = Other(table, Bucket.Id(bucket, entry), nodes[at].Bucket);
                if (Bucket.Used(BucketAt(table, other)) != Bucket.Full)
                {
                    return MoveAlong(table, nodes, at, entry, other);
                }

                if (count < MaxSearch)
                {
                    // It may have been looked at before: it has nothing new to offer then, and is no part of the chain that is found.
                    nodes[count++] = new Node(other, at, entry);
                }
            }
        }

        return null;
    }

    /// <summary>Moves every entry of a chain one bucket on, the last first.</summary>
    private byte* MoveAlong(SubTable* table, Node* nodes, int at, int entry, uint free)
    {
        var to = free;
        while (true)
        {
            var from = nodes[at].Bucket;
            Move(table, from, entry, to);
            if (nodes[at].Parent < 0)
            {
                return BucketAt(table, from);
            }

            to = from;
            entry = nodes[at].Entry;
            at = nodes[at].Parent;
        }
    }

    private void Move(SubTable* table, uint from, int entry, uint to)
    {
        var source = BucketAt(table, from);
        var target = BucketAt(table, to);
        var id = Bucket.Id(source, entry);
        var hash = Hash(id);
        Bucket.Put(target, Bucket.FirstFree(target), id, Bucket.Row(source, entry));
        Bucket.Remove(source, entry);
        if (IdHash.Reduce((uint)hash, table->Buckets) == from)
        {
            Bucket.GoesAway(source, IdHash.Second(hash));
        }
        else
        {
            Bucket.NoLongerAway(target);
        }
    }

    /// <summary>The bucket an id may lie in besides the given one.</summary>
    private uint Other(SubTable* table, ulong id, uint bucket)
    {
        var hash = Hash(id);
        var first = IdHash.Reduce((uint)hash, table->Buckets);
        return first == bucket ? IdHash.Reduce(IdHash.Second(hash), table->Buckets) : first;
    }

    /// <summary>A bucket that was reached by moving an entry of its parent's bucket there.</summary>
    private readonly struct Node(uint bucket, int parent, int entry)
    {
        public readonly uint Bucket = bucket;
        public readonly int Parent = parent;
        public readonly int Entry = entry;
    }
}
