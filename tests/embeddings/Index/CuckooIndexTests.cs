using Monolith.Embeddings.Index;
using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Tests.Index;

public sealed class CuckooIndexTests
{
    [Fact]
    public void Many_ids_come_and_go_and_the_structure_stays_whole()
    {
        using var index = new CuckooIndex(SlabPool.Shared, new IdHash(1, 2, 3));
        for (var i = 0u; i < 200_000; i++)
        {
            index.Insert(i, i);
            if (i % 512 == 0)
            {
                index.GrowSome(2);
                index.EndBatch();
            }
        }

        Check(index, 0, 200_000);
        Assert.True(index.SubTables > 8);
        // Served soon after they asked: none had to wait until it could take no id at all.
        Assert.InRange(index.LoadsAtGrowth.Sum / index.LoadsAtGrowth.Count, 0.96, 0.97);
        Assert.InRange(index.LoadsAtGrowth.Least, 0.95, 1);
        for (var i = 0u; i < 198_000; i++)
        {
            Assert.True(index.Remove(i, out var row));
            Assert.Equal(i, row);
            index.EndBatch();
        }

        Check(index, 198_000, 200_000);
        Assert.InRange(index.SubTables, 1, 2);
        Assert.InRange(index.Capacity, 2000, 20_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Ids_chosen_to_look_alike_do_no_harm(int kind)
    {
        using var index = new CuckooIndex(SlabPool.Shared, IdHash.Random());
        ulong Id(uint i) => kind switch
        {
            0 => (ulong)i << 40,
            1 => ulong.MaxValue - i,
            _ => ((ulong)i << 32) | i,
        };
        for (var i = 0u; i < 100_000; i++)
        {
            index.Insert(Id(i), i);
        }

        for (var i = 0u; i < 100_000; i++)
        {
            Assert.True(index.TryFind(Id(i), out var row) && row == i);
        }

        Assert.InRange(index.LoadsAtGrowth.Sum / index.LoadsAtGrowth.Count, 0.95, 1);
    }

    [Fact]
    public unsafe void A_bucket_matches_as_its_scalar_twin_does()
    {
        var random = new Random(1);
        var line = stackalloc byte[128];
        var bucket = (byte*)(((nuint)line + 63) & ~(nuint)63);
        for (var i = 0; i < 20_000; i++)
        {
            new Span<byte>(bucket, 64).Clear();
            for (var entry = 0; entry < Bucket.Entries; entry++)
            {
                if (random.Next(3) > 0)
                {
                    Bucket.Put(bucket, entry, (ulong)random.Next(6) * 0x100000001, (uint)random.Next(2));
                }
            }

            var id = (ulong)random.Next(6) * 0x100000001;
            Assert.Equal(Bucket.ScalarMatch(bucket, id) & Bucket.Used(bucket), Bucket.Match(bucket, id));
        }
    }

    /// <summary>
    /// What a batch's probes point into stays as it was until the batch ends, though sub-tables are rebuilt elsewhere meanwhile
    /// and their new pages come from the same store.
    /// </summary>
    [Fact]
    public void Probes_under_way_find_ids_in_pages_that_a_rebuild_replaced()
    {
        using var index = new CuckooIndex(SlabPool.Shared, new IdHash(1, 2, 3));
        using var rows = new UnitStore(SlabPool.Shared, 16, sideBytes: 0);
        ulong[] ids = [.. Enumerable.Range(0, 150_000).Select(i => (ulong)i)];
        Array.ForEach(ids, id => index.Insert(id, rows.Take()));
        index.EndBatch();
        Assert.InRange(index.Waiting, 10, int.MaxValue);
        var growths = index.Growths;
        index.GrowSome(3);
        index.EndBatch();
        Assert.Equal(growths + 3, index.Growths);
        var before = Found(index, rows, ids, grow: 0);
        var after = Found(index, rows, ids, grow: int.MaxValue);
        Assert.Equal(0, index.Waiting);
        Assert.InRange(before.Count(row => row is not null), ids.Length / 2, ids.Length - 1);
        Assert.Equal(before, after);
    }

    /// <summary>
    /// Which rows are found in first buckets when sub-tables grow before the look. (An id in its second bucket may move to its
    /// first one then, and is not found in either.)
    /// </summary>
    private static unsafe uint?[] Found(CuckooIndex index, UnitStore rows, ulong[] ids, int grow)
    {
        var probes = new Probe[ids.Length];
        var found = Enumerable.Repeat(true, ids.Length).ToArray();
        var onward = stackalloc byte[100];
        fixed (ulong* all = ids)
        fixed (Probe* allProbes = probes)
        {
            index.Hash(all, ids.Length, allProbes);
            index.Start(ids.Length, allProbes);
            index.GrowSome(grow);
            for (var from = 0; from < ids.Length; from += 100)
            {
                var going = index.LookFirst<Changing>(all + from, 100, allProbes + from, rows, 16, onward);
                for (var i = 0; i < going; i++)
                {
                    found[from + onward[i]] = false;
                }
            }
        }

        index.EndBatch();
        return [.. probes.Select((p, i) => found[i] && p.Found ? p.Row : (uint?)null)];
    }

    private static void Check(CuckooIndex index, uint from, uint to)
    {
        var seen = new HashSet<ulong>();
        index.Validate((id, row) =>
        {
            Assert.True(id == row && row >= from && row < to);
            seen.Add(id);
        });
        Assert.Equal((int)(to - from), seen.Count);
        Assert.False(index.TryFind(to, out _));
    }

    private readonly struct Changing : IRowUse
    {
        public static bool Changes => true;
    }
}
