using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Snapshots;

/// <summary>
/// Shards that are restored from their chains of snapshots into another number of shards learn on exactly as a table that was never divided: values, state,
/// times, admission and rounding depend on seed, step and id, not on who else shares the table.
/// </summary>
public sealed class ReshardedLearningTests
{
    /// <summary>Every optimizer at every precision, with schedules, initializers and admissions in turn, as after a restore.</summary>
    public static TheoryData<TableSpec> All => RestoredLearningTests.All;

    [Theory]
    [MemberData(nameof(All))]
    public void In_another_number_of_shards_learning_goes_on_exactly(TableSpec spec)
    {
        LearnsAlike(spec, 1, 4);
        LearnsAlike(spec, 4, 2);
    }

    [Theory]
    [InlineData(RowPrecision.Float32, 2, 8)]
    [InlineData(RowPrecision.Float16, 8, 1)]
    [InlineData(RowPrecision.BFloat16, 4, 2)]
    public void Rows_go_on_expiring_and_ids_go_on_being_counted(RowPrecision precision, int before, int after)
    {
        var spec = Specs.Table(Specs.Segment(3, new AdagradOptimizer(), new UniformInitializer(-1, 1))) with
        {
            Precision = precision,
            Expiry = TimeSpan.FromSeconds(4),
            // So rare an admission that most ids are still being counted when the shards change.
            Admission = new AdmitAfter(9) { Remembered = 8192 },
        };
        var (left, refused) = LearnsAlike(spec, before, after);
        Assert.InRange(left, 20, 500);
        Assert.InRange(refused, 50, 600);
    }

    /// <summary>Filters are merged although no row came with the first of them.</summary>
    [Fact]
    public void Counts_of_shards_without_rows_are_merged()
    {
        var spec = Specs.Table(Specs.Segment(1, new SgdOptimizer())) with { Admission = new AdmitAfter(2) };
        using var merged = new EmbeddingTable(spec, seed: 1);
        foreach (var id in new ulong[] { 1, 2, 3 })
        {
            using var shard = new EmbeddingTable(spec, seed: 1);
            shard.Push(id, [1], occurrences: 2);
            Assert.Equal(0, shard.Count);
            merged.LoadShare([Saved(shard)], 0, 1);
        }

        Assert.Equal(0, merged.Count);
        merged.Update([1, 2, 3], new float[3], [1, 1, 1], [1, 1, 1]);
        Assert.Equal(3, merged.Count);
    }

    /// <summary>
    /// Shards that together are over the budget of the one they become: what is over leaves, with a report; what stays is exact.
    /// </summary>
    [Theory]
    [InlineData(EvictionOrder.LeastRecentlyUsed)]
    [InlineData(EvictionOrder.LeastFrequentlyUsed)]
    [InlineData(EvictionOrder.SmallestNorm)]
    public void A_budget_holds_for_shards_that_become_one(EvictionOrder order)
    {
        const int MaxRows = 250;
        var spec = RestoredLearningTests.All.First().Data with { Admission = new AdmitAll(), Budget = new BudgetSpec { MaxRows = MaxRows, Evict = order } };
        var (shards, chains) = Learned(spec, 4);
        var rows = shards.SelectMany(RestoredLearningTests.Rows).ToDictionary();
        Assert.InRange(rows.Count, MaxRows + 50, 600);
        using var one = new EmbeddingTable(spec, seed: 3);
        foreach (var chain in chains)
        {
            one.LoadShare(Read(chain), 0, 1);
            one.Validate();
            Assert.InRange(one.Count, 1, MaxRows);
        }

        var kept = RestoredLearningTests.Rows(one);
        Assert.Equal(MaxRows, kept.Count);
        Assert.All(kept, row => Assert.Equal(rows[row.Key], row.Value));
        var changes = new ChangeSet();
        one.DrainChanges(changes);
        Assert.Equal(rows.Keys.Except(kept.Keys).Order(), changes.Deleted.ToArray().Order());
        Assert.Equal(rows.Count - MaxRows, one.Evicted);
        Array.ForEach(shards, s => s.Dispose());
    }

    private static (long Rows, int Refused) LearnsAlike(TableSpec spec, int before, int after)
    {
        using var table = new EmbeddingTable(spec, seed: 3);
        Learn([table], 0, 12);
        var (old, chains) = Learned(spec, before);
        var shards = Enumerable.Range(0, after).Select(shard =>
        {
            var made = new EmbeddingTable(spec, seed: 3);
            Array.ForEach(chains, chain => made.LoadShare(Read(chain), shard, after));
            return made;
        }).ToArray();
        Assert.Equal(RestoredLearningTests.Rows(table), Rows(shards));
        var refused = Enumerable.Range(0, 600).Count(i => table.Explain((ulong)i * 0x9e3779b97f4a7c15UL).Standing == IdStanding.Refused);
        Learn([table], 12, 8);
        Learn(shards, 12, 8);
        Assert.Equal(RestoredLearningTests.Rows(table), Rows(shards));
        Array.ForEach(shards, s => s.Validate());
        Array.ForEach([.. old, .. shards], s => s.Dispose());
        return (table.Count, refused);
    }

    /// <summary>Shards that have learned, and what each left on the way: a full snapshot and two increments.</summary>
    private static (EmbeddingTable[] Shards, byte[][][] Chains) Learned(TableSpec spec, int count)
    {
        var shards = Enumerable.Range(0, count).Select(_ => new EmbeddingTable(spec, seed: 3)).ToArray();
        var chains = shards.Select(_ => new byte[3][]).ToArray();
        for (var part = 0; part < 3; part++)
        {
            Learn(shards, 4 * part, 4);
            for (var shard = 0; shard < count; shard++)
            {
                chains[shard][part] = Saved(shards[shard], part == 0 ? SnapshotKind.Full : SnapshotKind.Incremental).ToArray();
            }
        }

        return (shards, chains);
    }

    private static MemoryStream[] Read(byte[][] chain) => [.. chain.Select(snapshot => new MemoryStream(snapshot))];

    private static void Learn(EmbeddingTable[] shards, int from, int steps)
    {
        for (var step = from; step < from + steps; step++)
        {
            for (var shard = 0; shard < shards.Length; shard++)
            {
                RestoredLearningTests.Learn(shards[shard], step, 1, id => ShardMap.Of(id, shards.Length) == shard);
                shards[shard].Expire(int.MaxValue);
            }
        }
    }

    private static Dictionary<ulong, string> Rows(EmbeddingTable[] shards) => shards.SelectMany(RestoredLearningTests.Rows).ToDictionary();

    private static MemoryStream Saved(EmbeddingTable table, SnapshotKind kind = SnapshotKind.Full)
    {
        var stream = new MemoryStream();
        table.Save(stream, kind);
        stream.Position = 0;
        return stream;
    }
}
