using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Snapshots;

/// <summary>What comes with a snapshot besides its rows, and which snapshots fit which.</summary>
public sealed class LoadTests
{
    private static readonly TableSpec Spec = Specs.Table(Specs.Segment(1, new SgdOptimizer { LearningRate = 1 }));

    /// <summary>Time goes on from the newest event, though the row that saw it has gone.</summary>
    [Fact]
    public void Rows_expire_after_a_restore_as_they_would_have_without()
    {
        var spec = Spec with { Expiry = TimeSpan.FromSeconds(100) };
        using var table = new EmbeddingTable(spec, seed: 1);
        table.Push(1, [1], seconds: 1000);
        table.Push(2, [1], seconds: 5000);
        table.Delete([2]);
        using var again = new EmbeddingTable(spec, seed: 1);
        again.Load(Taken(table, SnapshotKind.Full));
        Assert.Equal(1, table.Expire(100));
        Assert.Equal(1, again.Expire(100));
        Assert.Equal(table.Explain(1).Departure, again.Explain(1).Departure);
    }

    [Fact]
    public void An_increment_that_is_left_out_is_noticed()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        MemoryStream Next(ulong id)
        {
            table.Push(id, [1]);
            return Taken(table, SnapshotKind.Incremental);
        }

        using var again = new EmbeddingTable(Spec, seed: 1);
        again.Load(Next(1));
        var (second, third) = (Next(2), Next(3));
        Assert.Contains("builds on", Assert.Throws<InvalidDataException>(() => again.LoadIncrement(third)).Message);
        // It was refused by its header: the table is as it was.
        Assert.Equal(1, again.Count);
        again.LoadIncrement(second);
        second.Position = third.Position = 0;
        Assert.Contains("builds on", Assert.Throws<InvalidDataException>(() => again.LoadIncrement(second)).Message);
        again.LoadIncrement(third);
        Assert.Equal(table.LastSnapshot, again.LastSnapshot);
        Assert.Equal([-1f, -1, -1], again.Read(1, 2, 3));
    }

    [Fact]
    public void A_shards_snapshot_that_is_read_twice_is_refused_with_the_id()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        table.Push(77, [1]);
        var full = Taken(table, SnapshotKind.Full);
        using var merged = new EmbeddingTable(Spec, seed: 1);
        merged.LoadShare([full], 0, 1);
        full.Position = 0;
        Assert.Contains("id 77 twice", Assert.Throws<InvalidDataException>(() => merged.LoadShare([full], 0, 1)).Message);
        Assert.Equal(0, merged.Count);
    }

    /// <summary>Rows, deletions and the filter are those of the chain's end, whichever part of a shard is read.</summary>
    [Fact]
    public void A_share_is_read_from_a_whole_chain_or_refused()
    {
        var spec = Spec with { Admission = new AdmitAfter(1) { Remembered = 1024 } };
        using var table = new EmbeddingTable(spec, seed: 1);
        table.Update([1, 2, 99], [1, 1, 1], [2, 2, 1], [1, 1, 1]);
        var full = Taken(table, SnapshotKind.Full).ToArray();
        table.Delete([1]);
        table.Push(2, [1]);
        // So many others that the count of 99 fades: the full snapshot's filter knows it, the last one's does not.
        ulong[] others = [.. Enumerable.Range(1000, 5000).Select(i => (ulong)i)];
        table.Update(others, new float[5000], [.. Enumerable.Repeat(1, 5000)], new uint[5000]);
        table.Push(3, [1]);
        var second = Taken(table, SnapshotKind.Incremental).ToArray();
        table.Update([3, 4], [1, 1], [1, 1], [1, 1]);
        var third = Taken(table, SnapshotKind.Incremental).ToArray();
        using var again = new EmbeddingTable(spec, seed: 1);
        again.LoadShare(Chain(full, second, third), 0, 1);
        Assert.Equal(RestoredLearningTests.Rows(table), RestoredLearningTests.Rows(again));
        Assert.Equal([IdStanding.Present, IdStanding.Refused, IdStanding.Unknown], new ulong[] { 3, 4, 99 }.Select(id => again.Explain(id).Standing));
        foreach (var wrong in new[] { Chain(full, third), Chain(second, third), Chain(full, third, second), Chain(full, full) })
        {
            using var other = new EmbeddingTable(spec, seed: 1);
            var message = Assert.Throws<InvalidDataException>(() => other.LoadShare(wrong, 0, 1)).Message;
            Assert.Matches("builds on snapshot .*(the table holds snapshot|a full one is needed)|is a full one; the table holds snapshot", message);
            Assert.Equal(0, other.Count);
        }

        Assert.Contains("0 of 3", Assert.Throws<ArgumentException>(() => again.LoadShare(Chain(full), 0, 3)).Message);
        Assert.Contains("2 of 2", Assert.Throws<ArgumentException>(() => again.LoadShare(Chain(full), 2, 2)).Message);

        static Stream[] Chain(params byte[][] snapshots) => [.. snapshots.Select(bytes => new MemoryStream(bytes))];
    }

    /// <summary>An increment of that shard would bring other shards' rows, and miss those of other snapshots.</summary>
    [Fact]
    public void A_share_is_no_base_for_increments()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        table.Push(1, [1]);
        var full = Taken(table, SnapshotKind.Full);
        table.Push(1, [1]);
        var increment = Taken(table, SnapshotKind.Incremental);
        using var again = new EmbeddingTable(Spec, seed: 1);
        again.LoadShare([full], 0, 1);
        Assert.Equal(0UL, again.LastSnapshot);
        Assert.Contains("builds on", Assert.Throws<InvalidDataException>(() => again.LoadIncrement(increment)).Message);
        using var next = again.BeginSnapshot(SnapshotKind.Incremental, Stream.Null);
        Assert.Equal(SnapshotKind.Full, next.Kind);
    }

    /// <summary>What the budget of a smaller machine evicts at once is a deletion since that snapshot.</summary>
    [Fact]
    public void What_a_load_evicts_is_in_the_next_increment()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        for (var id = 0UL; id < 20; id++)
        {
            table.Push(id, [1], seconds: (uint)id);
        }

        var full = Taken(table, SnapshotKind.Full);
        using var small = new EmbeddingTable(Spec with { Budget = new BudgetSpec { MaxRows = 5 } }, seed: 1);
        small.Load(full);
        Assert.Equal(5, small.Count);
        var increment = Taken(small, SnapshotKind.Incremental);
        using var again = new EmbeddingTable(Spec, seed: 1);
        full.Position = 0;
        again.Load(full);
        again.LoadIncrement(increment);
        Assert.Equal(RestoredLearningTests.Rows(small), RestoredLearningTests.Rows(again));
    }

    [Fact]
    public void While_a_snapshot_is_under_way_none_is_begun_and_none_is_loaded()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        var empty = Taken(table, SnapshotKind.Full);
        using (var snapshot = table.BeginSnapshot(SnapshotKind.Full, Stream.Null))
        {
            foreach (var act in new Action[]
            {
                () => table.Save(Stream.Null), () => table.BeginSnapshot(SnapshotKind.Full, Stream.Null),
                () => table.Load(empty), () => table.LoadIncrement(empty), () => table.LoadShare([empty], 0, 1),
            })
            {
                Assert.Contains("under way", Assert.Throws<InvalidOperationException>(act).Message);
            }

            snapshot.Complete();
        }

        empty.Position = 0;
        table.Load(empty);
    }

    /// <summary>More deletions than a block of the snapshot holds.</summary>
    [Fact]
    public void Many_deletions_all_come_with_the_increment()
    {
        ulong[] ids = [.. Enumerable.Range(0, 300_000).Select(i => (ulong)i)];
        using var table = new EmbeddingTable(Spec, seed: 1);
        table.Update(ids, new float[ids.Length], [.. Enumerable.Repeat(1, ids.Length)], new uint[ids.Length]);
        using var again = new EmbeddingTable(Spec, seed: 1);
        again.Load(Taken(table, SnapshotKind.Full));
        table.Delete(ids.AsSpan(10));
        again.LoadIncrement(Taken(table, SnapshotKind.Incremental));
        Assert.Equal(10, again.Count);
        again.Validate();
    }

    [Fact]
    public void A_table_whose_load_failed_is_a_new_one()
    {
        var spec = Spec with
        {
            Admission = new AdmitAfter(2),
            Expiry = TimeSpan.FromSeconds(100),
            Segments = [Specs.Segment(1, new SgdOptimizer { LearningRate = 1, Schedule = new LinearWarmUp(10) })],
        };
        using var table = new EmbeddingTable(spec, seed: 1);
        table.Push(1, [1], occurrences: 3, seconds: 9000);
        table.Push(2, [1], seconds: 9000);
        var damaged = Taken(table, SnapshotKind.Full).ToArray();
        damaged[^1] ^= 1;
        using var target = new EmbeddingTable(spec, seed: 1);
        Assert.Throws<InvalidDataException>(() => target.Load(new MemoryStream(damaged)));
        target.Validate();
        Assert.Equal(IdStanding.Unknown, target.Explain(2).Standing);
        using var fresh = new EmbeddingTable(spec, seed: 1);
        foreach (var one in new[] { target, fresh })
        {
            one.Push(2, [1], occurrences: 3, seconds: 1000);
            one.Push(3, [1], occurrences: 3, seconds: 1000);
            Assert.Equal(0, one.Expire(100));
        }

        Assert.Equal(RestoredLearningTests.Rows(fresh), RestoredLearningTests.Rows(target));
    }

    private static MemoryStream Taken(EmbeddingTable table, SnapshotKind kind)
    {
        var stream = new MemoryStream();
        using var snapshot = table.BeginSnapshot(kind, stream);
        snapshot.Complete();
        return new MemoryStream(stream.ToArray());
    }
}
