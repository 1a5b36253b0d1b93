using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Snapshots;

public sealed class TableSnapshotTests
{
    private static readonly TableSpec Spec = Specs.Table(
        Specs.Segment(1, new FtrlOptimizer()), Specs.Segment(4, new SparseAdamOptimizer(), new UniformInitializer(-1, 1)))
        with
    { Expiry = TimeSpan.FromSeconds(100) };

    /// <summary>Many times over: restoring gives the table of the moment the snapshot began.</summary>
    [Fact]
    public void A_snapshot_taken_while_updates_go_on_is_the_table_as_it_was_when_it_began() => Gen.UInt.Sample(
        seed =>
        {
            var random = new Random((int)seed);
            using var table = new EmbeddingTable(Spec, seed: 1);
            Work(table, random, 30);
            using var copy = new EmbeddingTable(Spec, seed: 1);
            var states = new List<(byte[] Snapshot, Dictionary<ulong, string> Rows)>();
            for (var round = 0; round < 3; round++)
            {
                var stream = new MemoryStream();
                var rows = Rows(table);
                var kind = round == 0 ? SnapshotKind.Full : SnapshotKind.Incremental;
                using (var snapshot = table.BeginSnapshot(kind, stream))
                {
                    Assert.Equal(kind, snapshot.Kind);
                    do
                    {
                        Work(table, random, 3);
                    }
                    while (!snapshot.Step());
                    Work(table, random, 3);
                    snapshot.Complete();
                }

                stream.Position = 0;
                if (round == 0)
                {
                    copy.Load(stream);
                }
                else
                {
                    copy.LoadIncrement(stream);
                }

                copy.Validate();
                Assert.Equal(rows, Rows(copy));
                Work(table, random, 10);
            }

            table.Validate();
        },
        iter: 12,
        threads: 1);

    [Fact]
    public void An_incremental_snapshot_holds_only_what_changed()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        Work(table, new Random(1), 40);
        using var first = table.BeginSnapshot(SnapshotKind.Incremental, new MemoryStream());
        Assert.Equal(SnapshotKind.Full, first.Kind);
        first.Complete();
        Assert.Equal(table.Count, first.Rows);
        table.Push(1, new float[5], seconds: 5000);
        table.Push(2, new float[5], seconds: 5000);
        using var second = table.BeginSnapshot(SnapshotKind.Incremental, new MemoryStream());
        second.Complete();
        Assert.Equal(2, second.Rows);
    }

    [Fact]
    public void After_a_snapshot_that_failed_the_next_is_full()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        Work(table, new Random(1), 40);
        table.Save(new MemoryStream());
        Work(table, new Random(2), 5);
        using (var failing = table.BeginSnapshot(SnapshotKind.Incremental, new FullDisk()))
        {
            Assert.Contains("no space", Assert.Throws<IOException>(failing.Complete).Message);
        }

        using var next = table.BeginSnapshot(SnapshotKind.Incremental, new MemoryStream());
        Assert.Equal(SnapshotKind.Full, next.Kind);
        next.Complete();
        Assert.Equal(table.Count, next.Rows);
    }

    [Fact]
    public void A_slow_stream_bounds_the_arena_and_loses_nothing()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        Work(table, new Random(1), 200);
        var rows = Rows(table);
        var stream = new MemoryStream();
        using var snapshot = table.BeginSnapshot(SnapshotKind.Full, stream, new SnapshotOptions { ArenaBytes = 1 });
        Work(table, new Random(2), 400);
        snapshot.Complete();
        stream.Position = 0;
        using var copy = new EmbeddingTable(Spec, seed: 1);
        copy.Load(stream);
        Assert.Equal(rows, Rows(copy));
    }

    [Fact]
    public void An_increment_fits_only_the_snapshot_it_builds_on()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        var full = new MemoryStream();
        table.Push(1, new float[5]);
        table.Save(full);
        table.Push(2, new float[5]);
        var increment = new MemoryStream();
        using (var snapshot = table.BeginSnapshot(SnapshotKind.Incremental, increment))
        {
            snapshot.Complete();
        }

        using var other = new EmbeddingTable(Spec, seed: 1);
        increment.Position = 0;
        Assert.Contains("builds on", Assert.Throws<InvalidDataException>(() => other.Load(increment)).Message);
        increment.Position = 0;
        Assert.Contains("builds on", Assert.Throws<InvalidDataException>(() => other.LoadIncrement(increment)).Message);
        full.Position = 0;
        Assert.Contains("full", Assert.Throws<InvalidDataException>(() => other.LoadIncrement(full)).Message);
        full.Position = increment.Position = 0;
        other.Load(full);
        other.LoadIncrement(increment);
        Assert.Equal(Rows(table), Rows(other));
    }

    [Theory]
    [InlineData(4, 2)]
    [InlineData(2, 8)]
    public void Snapshots_restore_into_another_number_of_shards(int before, int after)
    {
        var spec = Spec with { Admission = new AdmitAfter(2), Expiry = null };
        var random = new Random(1);
        var old = Enumerable.Range(0, before).Select(_ => new EmbeddingTable(spec, seed: 1)).ToArray();
        for (ulong id = 0; id < 20_000; id++)
        {
            old[ShardMap.Of(id, before)].Push(id, [1, 2, 3, 4, 5], random.Next(1, 5));
        }

        var streams = old.Select(t =>
        {
            var stream = new MemoryStream();
            t.Save(stream);
            return stream;
        }).ToArray();
        var expected = old.SelectMany(Rows).ToDictionary();
        var found = new Dictionary<ulong, string>();
        for (var shard = 0; shard < after; shard++)
        {
            using var table = new EmbeddingTable(spec, seed: 1);
            foreach (var stream in streams)
            {
                stream.Position = 0;
                table.LoadShare([stream], shard, after);
            }

            table.Validate();
            foreach (var (id, row) in Rows(table))
            {
                Assert.Equal(shard, ShardMap.Of(id, after));
                found.Add(id, row);
            }

            // Counts of refused ids came along: one more occurrence admits nearly all that had two.
            var refused = Enumerable.Range(0, 20_000).Select(i => (ulong)i)
                .Where(id => ShardMap.Of(id, after) == shard && !expected.ContainsKey(id)).ToArray();
            var had = table.Count;
            foreach (var id in refused)
            {
                table.Push(id, [0, 0, 0, 0, 0], 2);
            }

            Assert.InRange(table.Count - had, refused.Length * 9 / 10, refused.Length);
        }

        Assert.Equal(expected.Count, found.Count);
        Assert.All(expected, row => Assert.Equal(row.Value, found[row.Key]));
        Array.ForEach(old, t => t.Dispose());
    }

    /// <summary>A seeded mutator: whatever is done to the bytes, the reader refuses them or reads the rows that were written.</summary>
    [Fact]
    public void Mutated_snapshots_are_refused_and_never_read_as_rows()
    {
        var spec = Spec with { Admission = new AdmitAfter(1) { Remembered = 1024 } };
        using var table = new EmbeddingTable(spec, seed: 1);
        Work(table, new Random(1), 5);
        var stream = new MemoryStream();
        table.Save(stream);
        var good = stream.ToArray();
        var refused = 0;
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, good.Length - 1], Gen.Int[1, 4000], Gen.Byte).Sample(
            (kind, at, length, value) =>
            {
                var bad = Mutate(good, kind, at, Math.Min(length, good.Length - at), value);
                using var target = new EmbeddingTable(spec, seed: 1);
                try
                {
                    target.Load(new MemoryStream(bad));
                    Assert.True(bad.AsSpan(0, Math.Min(bad.Length, good.Length)).SequenceEqual(good));
                }
                catch (InvalidDataException e)
                {
                    Assert.NotEmpty(e.Message);
                    Assert.Equal(0, target.Count);
                    refused++;
                }
            },
            iter: 400,
            threads: 1);
        Assert.True(refused > 200);
    }

    private static byte[] Mutate(byte[] good, int kind, int at, int length, byte value)
    {
        var bad = (byte[])good.Clone();
        switch (kind)
        {
            case 0:
                bad[at] ^= (byte)Math.Max((byte)1, value);
                return bad;
            case 1:
                bad.AsSpan(at, length).Fill(value);
                return bad;
            case 2:
                return bad[..at];
            case 3:
                return [.. bad[..at], .. bad[(at + length)..]];
            case 4:
                return [.. bad[..(at + length)], .. bad[at..]];
            default:
                bad.AsSpan(at, length).Reverse();
                return bad;
        }
    }

    /// <summary>Everything a row is: values now, and after the same push (so its state too), and its time.</summary>
    private static Dictionary<ulong, string> Rows(EmbeddingTable table)
    {
        var rows = new Dictionary<ulong, string>();
        table.ForEachRow((id, seconds, occurrences, bytes) => rows.Add(id, $"{seconds} {occurrences} {Convert.ToHexString(bytes)}"));
        return rows;
    }

    private static void Work(EmbeddingTable table, Random random, int batches)
    {
        for (var b = 0; b < batches; b++)
        {
            var from = random.Next(40_000);
            var ids = Enumerable.Range(from, random.Next(1, 700)).Select(i => (ulong)i * 0x9e3779b97f4a7c15UL).ToArray();
            if (random.Next(5) == 0)
            {
                table.Delete(ids);
            }
            else
            {
                var gradients = new float[ids.Length * 5];
                Array.Fill(gradients, (float)random.NextDouble());
                var now = (uint)(1000 + random.Next(300));
                table.Update(ids, gradients, [.. Enumerable.Repeat(1, ids.Length)], [.. Enumerable.Repeat(now, ids.Length)]);
            }

            table.Expire(2000);
        }
    }

    private sealed class FullDisk : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Length + count > 1000)
            {
                throw new IOException("no space left");
            }

            base.Write(buffer, offset, count);
        }
    }
}
