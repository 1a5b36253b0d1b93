using Monolith.Contracts.Specification;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Memory;
using Monolith.Embeddings.Tests.Index;

namespace Monolith.Embeddings.Tests;

/// <summary>No choice of ids harms a table whose hash is secret; who knows the hash gets a defined answer.</summary>
public sealed class AdversarialIdsTests
{
    private const int Count = 120_000;
    private static readonly Colliding Stolen = new(1, 2, 3);
    private static readonly TableSpec Spec = Specs.Table(Specs.Segment(1, new SgdOptimizer { LearningRate = 1 }));

    /// <summary>Families of ids that look alike to weak hashes.</summary>
    public static TheoryData<string> Families => [.. ByName.Keys];

    private static Dictionary<string, Func<ulong, ulong>> ByName { get; } = new()
    {
        ["sequential"] = i => i,
        ["from the top down"] = i => ulong.MaxValue - i,
        ["stride 2^8"] = i => i << 8,
        ["stride 2^20"] = i => i << 20,
        ["stride 2^32"] = i => i << 32,
        ["stride 2^47"] = i => i << 47,
        ["bit-reversed"] = Reversed,
        ["equal halves"] = i => (i << 32) | i,
        ["opposite halves"] = i => (i << 32) | (uint)~i,
        ["equal low halves"] = i => (i << 32) | 0xdeadbeef,
        ["equal high halves"] = i => 0xdeadbeef00000000 | i,
        ["both ends"] = i => (i & 1) == 0 ? i >> 1 : ulong.MaxValue - (i >> 1),
        ["multiples of the mixer's constant"] = i => i * 0x9e3779b97f4a7c15UL,
        ["multiples of the inverse of the mixer's constant"] = i => i * 0xf1de83e19937733dUL,
        ["one bucket under another table's hash"] = i => Stolen.OfOneBucket((uint)i),
        ["one sub-table under another table's hash"] = i => Stolen.OfOneSubTable((uint)i),
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void Ids_of_any_family_fill_the_index_as_random_ones_do(string family)
    {
        var id = ByName[family];
        using var table = new EmbeddingTable(Spec, seed: 1);
        var ids = new ulong[1000];
        var gradients = Enumerable.Repeat(-1f, ids.Length).ToArray();
        for (var from = 0; from < Count; from += ids.Length)
        {
            for (var i = 0; i < ids.Length; i++)
            {
                ids[i] = id((ulong)(from + i));
            }

            table.Update(ids, gradients, [.. Enumerable.Repeat(1, ids.Length)], new uint[ids.Length]);
        }

        Assert.Equal(Count, table.Count);
        Assert.All(table.Read([.. Enumerable.Range(0, Count).Select(i => id((ulong)i))]), value => Assert.Equal(1, value));
        table.Validate();
        var found = table.Statistics();
        Assert.InRange(found.LoadBeforeGrowth.Mean, 0.95, 1);
        Assert.InRange(found.LoadBeforeGrowth.Least, 0.95, 1);
        // An id takes one line of the index, or two: 80 to 85 of 100 take one, as with random ids.
        Assert.InRange(found.FirstBucketShare, 0.78, 0.95);
    }

    [Fact]
    public void Two_tables_share_no_order_of_ids()
    {
        ulong[] ids = [.. Enumerable.Range(0, 5000).Select(i => (ulong)i)];
        Assert.NotEqual(Order(ids), Order(ids));

        static ulong[] Order(ulong[] ids)
        {
            using var index = new CuckooIndex(SlabPool.Shared, IdHash.Random());
            Array.ForEach(ids, id => index.Insert(id, (uint)id));
            var order = new List<ulong>();
            index.ForEach((id, _) => order.Add(id));
            return [.. order];
        }
    }

    /// <summary>
    /// Ids made with a table's own keys to fall into one pair of buckets: ten fit. For the eleventh the sub-table grows, which
    /// does not part them; that no chance makes so few ids collide shows, and the table refuses the id.
    /// </summary>
    [Fact]
    public void Ids_of_one_pair_of_buckets_made_with_stolen_keys_are_refused()
    {
        var stolen = new Colliding(7, 8, 9);
        using var table = new EmbeddingTable(Spec, 1, TableContent.Training, stolen.Hash);
        var taken = Refused(table, stolen.NextOfOnePair);
        Assert.Equal(2 * Bucket.Entries, taken.Count);
        Assert.InRange(table.Index.Capacity, 1, 3 * SubTable.EntriesPerPage);
        LivesOn(table, taken);
    }

    /// <summary>The same in a table that holds enough for growth to look worth while: it ends with the sub-table's pages.</summary>
    [Fact]
    public void Growth_for_ids_of_one_pair_of_buckets_ends()
    {
        var stolen = new Colliding(7, 8, 9);
        using var table = new EmbeddingTable(Spec, 1, TableContent.Training, stolen.Hash);
        for (var id = 0UL; id < 60_000; id++)
        {
            table.Push(id, [-1]);
        }

        var capacity = table.Index.Capacity;
        var taken = Refused(table, stolen.NextOfOnePair);
        Assert.InRange(taken.Count, 1, 2 * Bucket.Entries);
        Assert.InRange(table.Index.Capacity, 1, capacity + (4 * SubTable.MaxPages * SubTable.EntriesPerPage));
        LivesOn(table, taken);
    }

    /// <summary>Ids that no split parts: the directory does not double for them without end.</summary>
    [Fact]
    public void Ids_of_one_sub_table_made_with_stolen_keys_are_refused()
    {
        var stolen = new Colliding(7, 8, 9);
        using var table = new EmbeddingTable(Spec, 1, TableContent.Training, stolen.Hash);
        var next = 0u;
        var taken = Refused(table, () => stolen.OfOneSubTable(next++));
        Assert.InRange(taken.Count, SubTable.EntriesPerPage, 2 * CuckooIndex.MaxEntries);
        Assert.InRange(table.Index.Bytes, 1, 8 << 20);
        LivesOn(table, taken);
    }

    private static List<ulong> Refused(EmbeddingTable table, Func<ulong> next)
    {
        var taken = new List<ulong>();
        var error = Assert.Throws<InvalidOperationException>(() =>
        {
            while (taken.Count < 100_000)
            {
                var id = next();
                table.Push(id, [-1]);
                taken.Add(id);
            }
        });
        Assert.Contains("hash of this table is broken", error.Message);
        return taken;
    }

    /// <summary>What was there stays, and other ids come and go as if nothing had been tried.</summary>
    private static void LivesOn(EmbeddingTable table, List<ulong> taken)
    {
        var before = table.Count;
        ulong[] others = [.. Enumerable.Range(0, 3000).Select(i => 1_000_000_000 + (ulong)i)];
        table.Update(others, [.. others.Select(_ => -1f)], [.. others.Select(_ => 1)], new uint[others.Length]);
        Assert.Equal(before + others.Length, table.Count);
        Assert.All(table.Read([.. taken, .. others]), value => Assert.Equal(1, value));
        table.Validate();
        table.Delete([.. taken]);
        table.Validate();
        Assert.Equal(before + others.Length - taken.Count, table.Count);
    }

    private static ulong Reversed(ulong i)
    {
        var reversed = 0UL;
        for (var bit = 0; bit < 64; bit++)
        {
            reversed |= ((i >> bit) & 1) << (63 - bit);
        }

        return reversed;
    }
}
