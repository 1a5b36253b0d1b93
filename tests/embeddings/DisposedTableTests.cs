using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests;

/// <summary>Freed memory is never touched: what comes too late is told so.</summary>
public sealed class DisposedTableTests
{
    [Fact]
    public void Every_use_of_a_disposed_table_is_refused()
    {
        var table = new EmbeddingTable(Specs.Table(Specs.Segment(4, new SgdOptimizer())), seed: 1);
        table.Push(1, new float[4]);
        table.Dispose();
        table.Dispose();
        Action[] uses =
        [
            () => table.Lookup([1], new float[4]),
            () => table.Update([1], new float[4], [1], [1]),
            () => table.Assign([1], new float[4]),
            () => table.AssignServed([1], new byte[16]),
            () => table.LookupServed([1], new byte[16]),
            () => table.Delete([1]),
            () => table.Expire(1),
            () => table.DrainChanges(new ChangeSet()),
            () => table.Save(new MemoryStream()),
            () => table.Load(new MemoryStream()),
            () => table.Statistics(),
            () => table.Explain(1),
            () => table.Validate(),
        ];
        Assert.All(uses, use => Assert.Throws<ObjectDisposedException>(use));
    }

    [Fact]
    public void A_snapshot_of_a_disposed_table_takes_no_step()
    {
        var table = new EmbeddingTable(Specs.Table(Specs.Segment(4, new SgdOptimizer())), seed: 1);
        table.Push(1, new float[4]);
        using var snapshot = table.BeginSnapshot(SnapshotKind.Full, new MemoryStream());
        table.Dispose();
        Assert.Throws<ObjectDisposedException>(() => snapshot.Step());
        Assert.Throws<ObjectDisposedException>(snapshot.Complete);
    }
}
