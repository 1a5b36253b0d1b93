using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests;

public sealed class BudgetTests
{
    private static readonly TableSpec Spec = Specs.Table(Specs.Segment(4, new SgdOptimizer { LearningRate = 1 }));

    [Theory]
    [InlineData(EvictionOrder.LeastRecentlyUsed)]
    [InlineData(EvictionOrder.LeastFrequentlyUsed)]
    [InlineData(EvictionOrder.SmallestNorm)]
    public void What_matters_least_leaves_first(EvictionOrder order)
    {
        using var table = new EmbeddingTable(Spec with { Budget = new BudgetSpec { MaxRows = 10_000, Evict = order } }, seed: 1);
        // Every second id matters: it is recent, frequent and large.
        for (var id = 0UL; id < 10_000; id++)
        {
            var matters = id % 2 == 0;
            table.Push(id, matters ? [9, 9, 9, 9] : [1, 0, 0, 0], matters ? 9 : 1, matters ? 2000u : 1000u);
        }

        Assert.Equal(10_000, table.Count);
        table.DrainChanges(new ChangeSet());
        for (var id = 20_000UL; id < 24_000; id++)
        {
            table.Push(id, [9, 9, 9, 9], 9, 2000);
            Assert.Equal(10_000, table.Count);
        }

        Assert.Equal(4000, table.Evicted);
        var changes = new ChangeSet();
        table.DrainChanges(changes);
        Assert.Equal(4000, changes.Deleted.Length);
        Assert.InRange(changes.Deleted.ToArray().Count(id => id % 2 == 1 && id < 10_000), 3900, 4000);
        var gone = table.Explain(changes.Deleted[^1]);
        Assert.Equal(IdStanding.Gone, gone.Standing);
        Assert.Equal(Leaving.Evicted, gone.Departure!.Value.Why);
        table.Validate();
    }

    /// <summary>The shard evicts and says so; a replica that chose for itself would hold other rows.</summary>
    [Theory]
    [InlineData(EvictionOrder.LeastRecentlyUsed)]
    [InlineData(EvictionOrder.SmallestNorm)]
    public void A_replica_evicts_nothing_by_itself(EvictionOrder order)
    {
        using var replica = new EmbeddingTable(
            Spec with { Budget = new BudgetSpec { MaxRows = 10, Evict = order } }, seed: 1, TableContent.Values);
        ulong[] ids = [.. Enumerable.Range(0, 15).Select(i => (ulong)i)];
        replica.Assign(ids, [.. Enumerable.Repeat(7f, 60)]);
        Assert.Equal(15, replica.Count);
        replica.Delete(ids.AsSpan(0, 5));
        Assert.All(replica.Read(ids[5..]), value => Assert.Equal(7, value));
    }

    [Fact]
    public void Rows_evicted_while_loading_stay_away_after_the_next_increment()
    {
        using var large = new EmbeddingTable(Spec, seed: 1);
        ulong[] ids = [.. Enumerable.Range(0, 3000).Select(i => (ulong)i)];
        large.Update(ids, new float[12_000], [.. Enumerable.Repeat(1, 3000)], [.. Enumerable.Range(1, 3000).Select(i => (uint)i)]);
        var full = new MemoryStream();
        large.Save(full);
        using var small = new EmbeddingTable(Spec with { Budget = new BudgetSpec { MaxRows = 1000 } }, seed: 1);
        full.Position = 0;
        small.Load(full);
        Assert.Equal(1000, small.Count);
        var increment = new MemoryStream();
        using (var snapshot = small.BeginSnapshot(SnapshotKind.Incremental, increment))
        {
            snapshot.Complete();
        }

        using var again = new EmbeddingTable(Spec, seed: 1);
        full.Position = increment.Position = 0;
        again.Load(full);
        again.LoadIncrement(increment);
        Assert.Equal(1000, again.Count);
    }

    [Fact]
    public void A_budget_of_bytes_bounds_rows_and_index()
    {
        const long Budget = 16 << 20;
        using var table = new EmbeddingTable(
            Specs.Table(Specs.Segment(16, new AdagradOptimizer())) with { Budget = new BudgetSpec { MaxBytes = Budget } }, seed: 1);
        var ids = new ulong[512];
        for (var from = 0UL; from < 300_000; from += 512)
        {
            for (var i = 0UL; i < 512; i++)
            {
                ids[i] = from + i;
            }

            table.Update(ids, new float[512 * 16], [.. Enumerable.Repeat(1, 512)], [.. Enumerable.Repeat((uint)from + 1, 512)]);
            if (from % 5120 == 0)
            {
                Assert.InRange(table.Statistics().RowBytes + table.Statistics().IndexBytes, 0, Budget);
            }
        }

        Assert.InRange(table.Count, 80_000, 90_000);
        Assert.Equal(IdStanding.Present, table.Explain(299_000).Standing);
        table.Validate();
    }
}
