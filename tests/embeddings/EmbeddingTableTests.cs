using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests;

public sealed class EmbeddingTableTests
{
    private static readonly SegmentSpec Vector =
        Specs.Segment(5, new AdagradOptimizer(), new UniformInitializer(-0.5f, 0.5f));

    private static readonly TableSpec Spec = Specs.Table(Specs.Segment(1, new FtrlOptimizer()), Vector);

    [Fact]
    public void A_lookup_inserts_nothing_and_reads_what_the_row_will_start_from()
    {
        using var table = new EmbeddingTable(Spec, seed: 3);
        var before = table.Read(0, 42, ulong.MaxValue);
        Assert.Equal(0, table.Count);
        table.Update([0, 42, ulong.MaxValue], new float[18], [1, 1, 1], [5, 5, 5]);
        Assert.Equal(3, table.Count);
        Assert.Equal(before, table.Read(0, 42, ulong.MaxValue));
        using var replica = new EmbeddingTable(Spec, seed: 3, TableContent.Values);
        Assert.Equal(before, replica.Read(0, 42, ulong.MaxValue));
        using var other = new EmbeddingTable(Spec, seed: 4);
        Assert.NotEqual(before, other.Read(0, 42, ulong.MaxValue));
    }

    [Fact]
    public void Rows_admitted_after_three_occurrences_read_as_published()
    {
        var spec = Specs.Table(Specs.Segment(1, new SgdOptimizer { LearningRate = 0.1f })) with { Admission = new AdmitAfter(3) };
        using var table = new EmbeddingTable(spec, seed: 1);
        (float, float)[] expected = [(0, 0), (-.1f, 0), (-.3f, 0), (-.5f, -.1f)];
        foreach (var (first, second) in expected)
        {
            // Ids [0, 0, 1], gradient 1 each.
            table.Update([0, 1], [2, 1], [2, 1], [1, 1]);
            Assert.Equal([first, second], table.Read(0, 1), (a, b) => MathF.Abs(a - b) < 1e-6f);
        }
    }

    [Fact]
    public void A_row_expires_when_the_newest_event_is_its_expiry_ahead()
    {
        const int Day = 86400;
        foreach (var (days, gone) in new[] { (5, true), (6, false), (14, false) })
        {
            using var table = new EmbeddingTable(Spec with { Expiry = TimeSpan.FromDays(days) }, seed: 1);
            table.Push(1, new float[6], seconds: 1_000_000);
            table.Push(2, new float[6], seconds: 1_000_000 + (5 * Day) + 60);
            table.DrainChanges(new ChangeSet());
            Assert.Equal(gone ? 1 : 0, table.Expire(100));
            var changes = new ChangeSet();
            table.DrainChanges(changes);
            Assert.Equal(gone ? [1UL] : [], changes.Deleted.ToArray());
            Assert.Equal(gone ? 1 : 2, table.Count);
        }
    }

    [Fact]
    public void A_row_expires_exactly_at_its_expiry()
    {
        using var table = new EmbeddingTable(Spec with { Expiry = TimeSpan.FromSeconds(10) }, seed: 1);
        table.Push(1, new float[6], seconds: 100);
        table.Push(2, new float[6], seconds: 109);
        Assert.Equal(0, table.Expire(10));
        table.Push(2, new float[6], seconds: 110);
        Assert.Equal(1, table.Expire(10));
    }

    /// <summary>No more than that, and the bucket that reaches it: five rows at most.</summary>
    [Fact]
    public void A_call_to_expire_looks_at_no_more_rows_than_it_may()
    {
        using var table = new EmbeddingTable(Spec with { Expiry = TimeSpan.FromSeconds(10) }, seed: 1);
        ulong[] ids = [.. Enumerable.Range(0, 1000).Select(i => (ulong)i)];
        table.Update(ids, new float[6000], [.. Enumerable.Repeat(1, 1000)], new uint[1000]);
        // The clock of this table has not run for as long as the expiry yet.
        table.Push(0, new float[6], seconds: 9);
        Assert.Equal(0, table.Expire(int.MaxValue));
        table.Push(0, new float[6], seconds: 10);
        Assert.Equal(0, table.Expire(0));
        Assert.InRange(table.Expire(100), 99, 104);
        Assert.InRange(table.Expire(100), 99, 104);
        Assert.InRange(table.Expire(int.MaxValue), 1, 801);
        Assert.Equal(1, table.Count);
    }

    /// <summary>It has no times of its own: what expires leaves it by the shard's word.</summary>
    [Fact]
    public void A_replica_expires_nothing_by_itself()
    {
        var spec = Spec with { Expiry = TimeSpan.FromSeconds(10) };
        using var table = new EmbeddingTable(spec, seed: 1);
        table.Push(1, new float[6], seconds: 100);
        table.Push(2, new float[6], seconds: 200);
        var stream = new MemoryStream();
        table.Save(stream);
        stream.Position = 0;
        using var replica = new EmbeddingTable(spec, seed: 1, TableContent.Values);
        replica.Load(stream);
        Assert.Equal(0, replica.Expire(100));
        Assert.Equal(2, replica.Count);
    }

    [Fact]
    public void Changes_are_reported_once_with_their_last_state()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        table.Push(1, new float[6]);
        table.Push(1, new float[6]);
        table.Push(2, new float[6]);
        table.Push(3, new float[6]);
        table.Delete([2, 99]);
        var changes = new ChangeSet();
        table.DrainChanges(changes);
        Assert.Equal([1UL, 3UL], changes.Updated.ToArray().Order());
        Assert.Equal([2UL], changes.Deleted.ToArray());
        changes.Clear();
        table.DrainChanges(changes);
        Assert.True(changes.IsEmpty);
    }

    /// <summary>Beyond what is listed, a drain looks at all rows: the same is reported.</summary>
    [Fact]
    public void More_changes_than_a_list_holds_are_all_reported_once()
    {
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(1, new SgdOptimizer())), seed: 1);
        ulong[] ids = [.. Enumerable.Range(0, 200_000).Select(i => (ulong)i)];
        foreach (var some in ids.Chunk(1000))
        {
            table.Update(some, new float[1000], [.. Enumerable.Repeat(1, 1000)], new uint[1000]);
        }

        table.Delete(ids.AsSpan(0, 500));
        var changes = new ChangeSet();
        table.DrainChanges(changes);
        Assert.Equal(ids[500..], changes.Updated.ToArray().Order());
        Assert.Equal(ids[..500], changes.Deleted.ToArray().Order());
        changes.Clear();
        table.Push(700, [1]);
        table.DrainChanges(changes);
        Assert.Equal([700UL], changes.Updated.ToArray());
        Assert.Equal(0, changes.Deleted.Length);
    }

    [Fact]
    public void More_deletions_than_are_remembered_make_the_next_snapshot_a_full_one()
    {
        using var table = Million(out var ids);
        table.Save(new MemoryStream());
        table.Delete(ids.AsSpan(0, 1000));
        Complete(SnapshotKind.Incremental);
        table.Delete(ids.AsSpan(1000));
        Complete(SnapshotKind.Full);
        Complete(SnapshotKind.Incremental);

        void Complete(SnapshotKind expected)
        {
            using var snapshot = table.BeginSnapshot(SnapshotKind.Incremental, Stream.Null);
            Assert.Equal(expected, snapshot.Kind);
            snapshot.Complete();
        }
    }

    [Fact]
    public void More_deletions_than_are_remembered_while_a_snapshot_is_under_way_make_the_next_one_full()
    {
        using var table = Million(out var ids);
        using (var snapshot = table.BeginSnapshot(SnapshotKind.Full, Stream.Null))
        {
            table.Delete(ids.AsSpan(1000));
            snapshot.Complete();
        }

        using var next = table.BeginSnapshot(SnapshotKind.Incremental, Stream.Null);
        Assert.Equal(SnapshotKind.Full, next.Kind);
        next.Complete();
        Assert.Equal(1000, next.Rows);
    }

    private static EmbeddingTable Million(out ulong[] ids)
    {
        var table = new EmbeddingTable(Specs.Table(Specs.Segment(1, new SgdOptimizer())), seed: 1);
        ids = [.. Enumerable.Range(0, 1_100_000).Select(i => (ulong)i)];
        var (gradients, ones, seconds) = (new float[1000], Enumerable.Repeat(1, 1000).ToArray(), new uint[1000]);
        for (var from = 0; from < ids.Length; from += 1000)
        {
            table.Update(ids.AsSpan(from, 1000), gradients, ones, seconds);
        }

        return table;
    }

    [Theory]
    [InlineData(TableContent.Training)]
    [InlineData(TableContent.Values)]
    public void Assigned_values_read_back_and_the_last_of_an_id_counts(TableContent content)
    {
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(2, new AdagradOptimizer())), seed: 1, content);
        // Ids come twice in a batch, near each other and far apart.
        ulong[] ids = [.. Enumerable.Range(0, 900).Select(i => (ulong)(i % 450)), 7, 7, 8];
        float[] values = [.. Enumerable.Range(0, ids.Length * 2).Select(i => (float)i)];
        for (var round = 0; round < 2; round++)
        {
            table.Assign(ids, values);
            Assert.Equal(450, table.Count);
            table.Validate();
            for (var id = 0UL; id < 450; id++)
            {
                var last = Array.LastIndexOf(ids, id);
                Assert.Equal([values[2 * last], values[(2 * last) + 1]], table.Read(id));
            }
        }
    }

    [Fact]
    public void A_saved_table_loads_and_learns_on_exactly_as_the_first()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        var random = new Random(1);
        Learn(table, random, 3000);
        var stream = new MemoryStream();
        table.Save(stream);
        table.Save(stream);
        stream.Position = 0;
        using var again = new EmbeddingTable(Spec, seed: 1);
        again.Load(stream);
        using var replica = new EmbeddingTable(Spec, seed: 1, TableContent.Values);
        replica.Load(stream);
        var ids = Enumerable.Range(0, 600).Select(i => (ulong)i).ToArray();
        Assert.Equal(table.Count, again.Count);
        Assert.Equal(table.Read(ids), again.Read(ids));
        Assert.Equal(table.Read(ids), replica.Read(ids));
        Learn(table, new Random(2), 1000);
        Learn(again, new Random(2), 1000);
        Assert.Equal(table.Read(ids), again.Read(ids));
    }

    [Fact]
    public void The_admission_filter_is_part_of_what_is_saved()
    {
        var spec = Spec with { Admission = new AdmitAfter(2) };
        using var table = new EmbeddingTable(spec, seed: 1);
        table.Push(5, new float[6], occurrences: 2);
        var stream = new MemoryStream();
        table.Save(stream);
        stream.Position = 0;
        using var again = new EmbeddingTable(spec, seed: 1);
        again.Load(stream);
        Assert.Equal(0, again.Count);
        again.Push(5, new float[6]);
        Assert.Equal(1, again.Count);
    }

    [Fact]
    public void A_snapshot_with_any_bit_flipped_or_its_end_torn_is_refused()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        Learn(table, new Random(1), 50);
        var stream = new MemoryStream();
        table.Save(stream);
        var good = stream.ToArray();
        Gen.Int[0, (good.Length * 8) - 1].Sample(
            bit =>
            {
                var bad = (byte[])good.Clone();
                bad[bit / 8] ^= (byte)(1 << (bit % 8));
                Refused(bad);
            },
            iter: 300,
            threads: 1);
        Gen.Int[0, good.Length - 1].Sample(length => Refused(good[..length]), iter: 100, threads: 1);
    }

    [Fact]
    public void A_snapshot_of_another_table_is_refused_with_its_name()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        var stream = new MemoryStream();
        table.Save(stream);
        foreach (var (other, seed, word) in new[]
        {
            (Spec with { Name = "other" }, 1UL, "'test'"),
            (Spec with { Segments = [Vector] }, 1UL, "values"),
            (Spec, 2UL, "seed"),
        })
        {
            stream.Position = 0;
            using var target = new EmbeddingTable(other, seed);
            Assert.Contains(word, Assert.Throws<InvalidDataException>(() => target.Load(stream)).Message);
        }
    }

    [Fact]
    public void Rows_that_no_block_of_a_snapshot_would_hold_are_refused_with_the_tables_name()
    {
        SegmentSpec[] Wide(int segments) => [.. Enumerable.Repeat(Specs.Segment(1024, new AdagradOptimizer()), segments)];
        using var widest = new EmbeddingTable(Specs.Table(Wide(64)), seed: 1);
        var message = Assert.Throws<ArgumentException>(() => new EmbeddingTable(Specs.Table(Wide(65)), seed: 1)).Message;
        Assert.Contains("'test' takes 532480 bytes", message);
        Assert.Contains("524288", message);
    }

    [Fact]
    public void Misshapen_batches_are_refused()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        Assert.Contains("6", Assert.Throws<ArgumentException>(() => table.Lookup([1], new float[5])).Message);
        Assert.Throws<ArgumentException>(() => table.Update([1], new float[5], [1], [1]));
        Assert.Throws<ArgumentException>(() => table.Update([1], new float[6], [], [1]));
        Assert.Throws<ArgumentException>(() => table.Assign([1], new float[7]));
        using var replica = new EmbeddingTable(Spec, seed: 1, TableContent.Values);
        Assert.Throws<InvalidOperationException>(() => replica.Update([1], new float[6], [1], [1]));
        Assert.Throws<InvalidOperationException>(() => replica.Save(new MemoryStream()));
    }

    private static void Refused(byte[] snapshot)
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        Assert.Throws<InvalidDataException>(() => table.Load(new MemoryStream(snapshot)));
        Assert.Equal(0, table.Count);
    }

    private static void Learn(EmbeddingTable table, Random random, int pushes)
    {
        for (var i = 0; i < pushes; i++)
        {
            var gradient = Enumerable.Range(0, 6).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
            table.Push((ulong)random.Next(500), gradient, seconds: (uint)(1000 + i));
        }
    }
}
