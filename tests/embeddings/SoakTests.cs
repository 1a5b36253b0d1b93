using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests;

public sealed class SoakTests
{
    /// <summary>Everything at once for a good while, ended by the whole-structure validator.</summary>
    [Fact]
    public void After_a_long_mixed_life_the_structure_is_whole_and_memory_is_given_back()
    {
        var spec = Specs.Table(Specs.Segment(3, new AdagradOptimizer(), new UniformInitializer(-1, 1))) with
        {
            Admission = new AdmitAfter(1),
            Expiry = TimeSpan.FromSeconds(40),
            Budget = new BudgetSpec { MaxRows = 60_000 },
            Precision = RowPrecision.BFloat16,
        };
        using var table = new EmbeddingTable(spec, seed: 1);
        var random = new Random(7);
        var changes = new ChangeSet();
        TableSnapshot? snapshot = null;
        for (var batch = 1; batch <= 1500; batch++)
        {
            // The id space drifts, so rows come, live a while and expire.
            ulong[] ids = [.. Enumerable.Range(batch * 100, 700).Where(_ => random.Next(3) > 0).Select(i => (ulong)i * 0x2545f4914f6cdd1d)];
            var seconds = (uint)(1000 + (batch / 5));
            table.Update(ids, new float[ids.Length * 3], [.. Enumerable.Repeat(1, ids.Length)], [.. Enumerable.Repeat(seconds, ids.Length)]);
            table.Expire(1000);
            table.Delete(ids.AsSpan(0, random.Next(30)));
            if (snapshot?.Step() == true)
            {
                snapshot.Complete();
                snapshot.Dispose();
                snapshot = null;
            }

            if (batch % 100 == 0)
            {
                snapshot ??= table.BeginSnapshot(batch % 300 == 0 ? SnapshotKind.Full : SnapshotKind.Incremental, Stream.Null);
                changes.Clear();
                table.DrainChanges(changes);
            }

            if (batch % 500 == 0)
            {
                table.Validate();
            }
        }

        snapshot?.Dispose();
        table.Validate();
        Assert.InRange(table.Count, 1000, 60_000);
        Assert.True(table.Statistics().RowBytes < 4 << 20);
        // The last breath: all expires, and what is left is the first page of the index.
        table.Update([1], new float[3], [2], [100_000]);
        while (table.Count > 1)
        {
            Assert.True(table.Expire(100_000) > 0);
        }

        table.Validate();
        Assert.InRange(table.Index.Capacity, 1, 2000);
    }
}
