using System.Runtime.InteropServices;
using Monolith.Embeddings.Initialization;

namespace Monolith.Embeddings.Index;

/// <content>Growing and shrinking, one sub-table at a time.</content>
internal sealed unsafe partial class CuckooIndex
{
    /// <summary>A sub-table emptier than this shrinks.</summary>
    public const double ShrinkLoad = 0.6;

    /// <summary>How full a rebuilt sub-table is made when it shrinks or splits, at most.</summary>
    private const double RebuiltLoad = 0.9;

    private const int MinPagesAfterSplit = 8;

    /// <summary>Ids there have to be for a place of the directory; by chance there are some ten thousand.</summary>
    private const int LeastIdsPerPlace = 256;

    private readonly Queue<ulong> _waiting = new();
    private readonly List<IndexEntry> _crowded = new(capacity: 4096);

    /// <summary>Sub-tables that grew, by pages or by splitting.</summary>
    public long Growths { get; private set; }

    /// <summary>Sum of the loads at which sub-tables of several pages grew, and the smallest of them.</summary>
    public (double Sum, double Least, long Count) LoadsAtGrowth { get; private set; } = (0, 1, 0);

    /// <summary>Sub-tables that wait for their growth.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Grows sub-tables that asked for it, at most so many.</summary>
    public void GrowSome(int most)
    {
        while (most > 0 && _waiting.TryDequeue(out var hash))
        {
            var place = First(Place(hash));
            if (_info[place].Waits)
            {
                Grow(place);
                most--;
            }
        }
    }

    private void Grow(int place)
    {
        var pages = _directory[place].PageCount;
        NoteLoad(place, pages);
        Growths++;
        var grown = pages + (pages < MinPagesAfterSplit ? 1 : 1 + (int)(NextRandom() % 3));
        if (_info[place].Count < 0.2 * pages * SubTable.EntriesPerPage && pages > 1)
        {
            throw HashIsBroken();
        }

        if (grown <= SubTable.MaxPages)
        {
            Resize(place, grown);
        }
        else
        {
            Split(place);
        }
    }

    private void NoteLoad(int place, int pages)
    {
        if (pages >= MinPagesAfterSplit)
        {
            var load = (double)_info[place].Count / (pages * SubTable.EntriesPerPage);
            var (sum, least, count) = LoadsAtGrowth;
            LoadsAtGrowth = (sum + load, Math.Min(least, load), count + 1);
        }
    }

    /// <summary>Moves a sub-table to another number of pages.</summary>
    private void Resize(int place, int pages)
    {
        var old = _directory[place];
        var table = NewPages(pages);
        while (!MoveAll(&old, &table, &table, splitBit: 0))
        {
            FreePages(&table);
            table = NewPages(++pages);
        }

        Install(place, table, _info[place] with { Generation = _info[place].Generation + 1, Waits = false });
        Retire(&old);
    }

    /// <summary>Splits a sub-table by the next bit of the hash.</summary>
    private void Split(int place)
    {
        if (_info[place].Depth == _depth)
        {
            Double();
            place *= 2;
        }

        var old = _directory[place];
        var info = _info[place];
        var bit = 1UL << (63 - info.Depth);
        var ones = CountOnes(&old, bit);
        var zeros = info.Count - ones;
        var (low, high) = NewPages(PagesAfterSplit(zeros), PagesAfterSplit(ones));
        while (!MoveAll(&old, &low, &high, bit))
        {
            var (more, most) = (low.PageCount + 1, high.PageCount + 1);
            FreePages(&low);
            FreePages(&high);
            (low, high) = NewPages(more, most);
        }

        var child = new SubTableInfo { Depth = info.Depth + 1, Generation = info.Generation + 1 };
        var half = 1 << (_depth - child.Depth);
        _info[place].Depth = _info[place + half].Depth = child.Depth;
        Install(place, low, child with { Count = zeros });
        Install(place + half, high, child with { Count = ones });
        SubTables++;
        Retire(&old);
    }

    private int PagesAfterSplit(int ids) =>
        Math.Min(SubTable.MaxPages, Math.Max(MinPagesAfterSplit, PagesFor(ids) + (int)(NextRandom() % 2)));

    private static int PagesFor(int ids) => Math.Max(1, (int)Math.Ceiling(ids / (RebuiltLoad * SubTable.EntriesPerPage)));

    /// <summary>Gives a sub-table fewer pages, or merges it with its sibling when both are small.</summary>
    private void Shrink(int place)
    {
        ref var info = ref _info[place];
        var pages = _directory[place].PageCount;
        if (info.Depth > 0)
        {
            var half = 1 << (_depth - info.Depth);
            var sibling = place ^ half;
            if (_info[sibling].Depth == info.Depth && PagesFor(info.Count + _info[sibling].Count) <= MinPagesAfterSplit)
            {
                Merge(Math.Min(place, sibling), Math.Max(place, sibling));
                return;
            }
        }

        var needed = PagesFor(info.Count);
        if (needed < pages)
        {
            Resize(place, needed);
        }
    }

    private void Merge(int low, int high)
    {
        var (left, right) = (_directory[low], _directory[high]);
        var count = _info[low].Count + _info[high].Count;
        var pages = PagesFor(count);
        var table = NewPages(pages);
        while (!MoveAll(&left, &table, &table, 0) || !MoveAll(&right, &table, &table, 0))
        {
            FreePages(&table);
            table = NewPages(++pages);
        }

        var merged = new SubTableInfo
        {
            Count = count,
            Depth = _info[low].Depth - 1,
            Generation = Math.Max(_info[low].Generation, _info[high].Generation) + 1,
        };
        _info[low].Depth = merged.Depth;
        Install(low, table, merged);
        SubTables--;
        Retire(&left);
        Retire(&right);
        Halve();
    }

    /// <summary>Writes a sub-table into all its places of the directory.</summary>
    private void Install(int place, SubTable table, SubTableInfo info)
    {
        var end = place + (1 << (_depth - info.Depth));
        for (; place < end; place++)
        {
            _directory[place] = table;
            _info[place] = info;
        }
    }

    private void Double()
    {
        // Chosen ids that agree in ever more bits would otherwise double it without end.
        if (LeastIdsPerPlace * (1L << _depth) > Count)
        {
            throw HashIsBroken();
        }

        Redirect(_depth + 1, static place => place / 2);
    }

    private void Halve()
    {
        while (_depth > 0)
        {
            for (var place = 0; place < 1 << _depth; place++)
            {
                if (_info[place].Depth == _depth)
                {
                    return;
                }
            }

            Redirect(_depth - 1, static place => place * 2);
        }
    }

    private void Redirect(int depth, Func<int, int> source)
    {
        var directory = Lines<SubTable>(1 << depth);
        var info = Lines<SubTableInfo>(1 << depth);
        for (var place = 0; place < 1 << depth; place++)
        {
            directory[place] = _directory[source(place)];
            info[place] = _info[source(place)];
        }

        NativeMemory.AlignedFree(_directory);
        NativeMemory.AlignedFree(_info);
        _directory = directory;
        _info = info;
        _depth = depth;
    }

    /// <summary>
    /// Copies all ids to other pages: to <paramref name="high"/> where the bit of the hash is set. First those that find room
    /// in their first bucket, then the rest, so that as few as possible lie in their second one.
    /// </summary>
    private bool MoveAll(SubTable* from, SubTable* low, SubTable* high, ulong splitBit)
    {
        _crowded.Clear();
        for (var at = 0u; at < from->Buckets; at++)
        {
            var bucket = BucketAt(from, at);
            for (var used = Bucket.Used(bucket); used != 0; used &= used - 1)
            {
                var entry = System.Numerics.BitOperations.TrailingZeroCount(used);
                var id = Bucket.Id(bucket, entry);
                var hash = Hash(id);
                var to = (hash & splitBit) != 0 ? high : low;
                var first = BucketAt(to, IdHash.Reduce((uint)hash, to->Buckets));
                var free = Bucket.FirstFree(first);
                if (free < Bucket.Entries)
                {
                    Bucket.Put(first, free, id, Bucket.Row(bucket, entry));
                }
                else
                {
                    _crowded.Add(new IndexEntry { Id = id, Row = Bucket.Row(bucket, entry) });
                }
            }
        }

        foreach (var entry in _crowded)
        {
            var hash = Hash(entry.Id);
            if (!TryPlace((hash & splitBit) != 0 ? high : low, entry.Id, hash, entry.Row))
            {
                return false;
            }
        }

        return true;
    }

    private int CountOnes(SubTable* table, ulong bit)
    {
        var ones = 0;
        for (var at = 0u; at < table->Buckets; at++)
        {
            var bucket = BucketAt(table, at);
            for (var used = Bucket.Used(bucket); used != 0; used &= used - 1)
            {
                var id = Bucket.Id(bucket, System.Numerics.BitOperations.TrailingZeroCount(used));
                ones += (Hash(id) & bit) != 0 ? 1 : 0;
            }
        }

        return ones;
    }

    private (SubTable Low, SubTable High) NewPages(int low, int high)
    {
        var first = NewPages(low);
        try
        {
            return (first, NewPages(high));
        }
        catch
        {
            FreePages(&first);
            throw;
        }
    }

    private SubTable NewPages(int pages)
    {
        if (pages > SubTable.MaxPages)
        {
            throw HashIsBroken();
        }

        var table = default(SubTable);
        try
        {
            for (var page = 0; page < pages; page++)
            {
                table.Pages[page] = _pages.Take();
                table.Buckets += SubTable.BucketsPerPage;
                Capacity += SubTable.EntriesPerPage;
                new Span<byte>(_pages.Address(table.Pages[page]), SubTable.PageBytes).Clear();
            }
        }
        catch
        {
            FreePages(&table);
            throw;
        }

        return table;
    }

    private static InvalidOperationException HashIsBroken() =>
        new("ids collide beyond what chance allows: the hash of this table is broken");

    private void FreePages(SubTable* table)
    {
        for (var page = 0; page < table->PageCount; page++)
        {
            _pages.Give(table->Pages[page]);
        }

        Capacity -= table->PageCount * SubTable.EntriesPerPage;
    }

    private void Retire(SubTable* table)
    {
        for (var page = 0; page < table->PageCount; page++)
        {
            _retired.Add(table->Pages[page]);
        }

        Capacity -= table->PageCount * SubTable.EntriesPerPage;
    }

    private ulong NextRandom() => Mixer.Mix(_random += Mixer.Golden);
}
