using System.Numerics;

namespace Monolith.Embeddings.Index;

/// <content>The whole-structure validator.</content>
internal sealed unsafe partial class CuckooIndex
{
    /// <summary>Walks everything; throws at the first thing that is not as it must be.</summary>
    /// <param name="entry">Called for every id and its row.</param>
    public void Validate(Action<ulong, uint> entry)
    {
        long count = 0, capacity = 0;
        var (tables, deepest) = (0, 0);
        for (var place = 0; place < 1 << _depth; place = First(place) + (1 << (_depth - _info[place].Depth)))
        {
            Require(First(place) == place, $"place {place} is the first of its sub-table");
            Require(_info[place].Depth <= _depth, $"the depth of place {place} is within the directory's");
            ValidatePlaces(place);
            var ids = ValidateTable(place, entry);
            Require(ids == _info[place].Count, $"sub-table {place} counts {_info[place].Count} ids and holds {ids}");
            count += ids;
            capacity += (long)_directory[place].PageCount * SubTable.EntriesPerPage;
            deepest = Math.Max(deepest, _info[place].Depth);
            tables++;
        }

        Require(count == Count, $"the index counts {Count} ids and holds {count}");
        Require(capacity == Capacity, $"the index counts room for {Capacity} and has it for {capacity}");
        Require(deepest == _depth, $"a sub-table needs all {_depth} bits of the directory");
        Require(tables == SubTables, $"the index counts {SubTables} sub-tables and has {tables}");
        Require(_pages.Live * SubTable.EntriesPerPage == Capacity + ((long)_retired.Count * SubTable.EntriesPerPage), "every page in use belongs to a sub-table");
    }

    private void ValidatePlaces(int place)
    {
        for (var other = place; other < place + (1 << (_depth - _info[place].Depth)); other++)
        {
            var same = new Span<byte>(_directory + place, sizeof(SubTable)).SequenceEqual(new Span<byte>(_directory + other, sizeof(SubTable)));
            Require(same && _info[other].Depth == _info[place].Depth, $"places {place} and {other} name one sub-table");
        }
    }

    private int ValidateTable(int place, Action<ulong, uint> entry)
    {
        var table = _directory + place;
        var away = new int[table->Buckets];
        var ids = 0;
        for (var at = 0u; at < table->Buckets; at++)
        {
            var bucket = BucketAt(table, at);
            for (var used = Bucket.Used(bucket); used != 0; used &= used - 1)
            {
                var slot = BitOperations.TrailingZeroCount(used);
                var id = Bucket.Id(bucket, slot);
                var hash = Hash(id);
                var second = IdHash.Second(hash);
                var first = IdHash.Reduce((uint)hash, table->Buckets);
                Require(First(Place(hash)) == place, $"id {id} lies in the sub-table of its hash");
                Require(first == at || IdHash.Reduce(second, table->Buckets) == at, $"id {id} lies in one of its buckets");
                if (first != at)
                {
                    away[first]++;
                    Require(Bucket.MayBeAway(BucketAt(table, first), second), $"the first bucket of id {id} knows that it may be away");
                }

                Require(BucketAt(table, at) == Locate(id, out var found) && found == slot, $"id {id} is found where it lies");
                entry(id, Bucket.Row(bucket, slot));
                ids++;
            }
        }

        for (var at = 0u; at < table->Buckets; at++)
        {
            Require(Bucket.Away(BucketAt(table, at)) == away[at], $"bucket {at} counts the ids that are away");
        }

        return ids;
    }

    private static void Require(bool holds, string law)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"the index is broken; this does not hold: {law}");
        }
    }
}
