using System.Buffers.Binary;
using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Snapshots;

/// <summary>Whatever is done to a snapshot's bytes, it is refused with a reason or it is the table that was written.</summary>
public sealed class SnapshotFuzzTests
{
    private static readonly TableSpec Plain = Specs.Table(Specs.Segment(2, new AdagradOptimizer(), new UniformInitializer(-1, 1)));

    private static readonly TableSpec Counting = Plain with { Admission = new AdmitAfter(1) { Remembered = 1024 }, Precision = RowPrecision.BFloat16 };

    [Fact]
    public void Every_bit_of_a_full_snapshot_counts()
    {
        var (full, _) = Written(Plain);
        using var table = new EmbeddingTable(Plain, seed: 1);
        for (var bit = 0; bit < full.Length * 8; bit++)
        {
            Refused(table, Flipped(full, bit), table.Load);
        }

        table.Load(new MemoryStream(full));
        Assert.Equal(10, table.Count);
    }

    [Fact]
    public void Every_bit_of_an_increment_counts()
    {
        var (full, increment) = Written(Plain);
        for (var bit = 0; bit < increment.Length * 8; bit++)
        {
            RefusedIncrement(full, Flipped(increment, bit));
        }

        using var table = new EmbeddingTable(Plain, seed: 1);
        table.Load(new MemoryStream(full));
        table.LoadIncrement(new MemoryStream(increment));
        Assert.Equal(9, table.Count);
    }

    [Fact]
    public void Every_byte_of_an_admission_filter_counts()
    {
        var (full, _) = Written(Counting);
        using var table = new EmbeddingTable(Counting, seed: 1);
        for (var at = 0; at < full.Length; at += at is > 200 and < 14_000 ? 13 : 1)
        {
            Refused(table, Flipped(full, (at * 8) + (at % 8)), table.Load);
            // Nothing of the damaged filter stays either.
            Assert.Equal(IdStanding.Unknown, table.Explain(100).Standing);
        }
    }

    [Fact]
    public void A_snapshot_that_ends_early_is_refused_wherever_it_ends()
    {
        var (full, increment) = Written(Plain);
        using var table = new EmbeddingTable(Plain, seed: 1);
        for (var length = 0; length < full.Length; length++)
        {
            Refused(table, full[..length], table.Load);
        }

        for (var length = 0; length < increment.Length; length++)
        {
            RefusedIncrement(full, increment[..length]);
        }
    }

    [Fact]
    public void Blocks_that_changed_places_or_are_missing_are_refused()
    {
        var spec = Specs.Table(Specs.Segment(1024, new AdagradOptimizer()));
        using var table = new EmbeddingTable(spec, seed: 1);
        for (var id = 0UL; id < 300; id++)
        {
            table.Push(id, new float[1024]);
        }

        var good = Taken(table, SnapshotKind.Full);
        var blocks = SnapshotBlocks.Of(good);
        Assert.True(blocks.Count(b => b.Kind == (int)BlockKind.Rows) >= 3);
        // The frames as they were written, in another order: each checksum names the place it belongs to.
        var (first, second) = (SnapshotBlocks.Frame(blocks, 1), SnapshotBlocks.Frame(blocks, 2));
        byte[] swapped = [.. good[..first.Start], .. good[second.Start..second.End], .. good[first.Start..first.End], .. good[second.End..]];
        using var empty = new EmbeddingTable(spec, seed: 1);
        Assert.Contains("block 1", Assert.Throws<InvalidDataException>(() => empty.Load(new MemoryStream(swapped))).Message);
        // A writer that forgot a block has counted its rows.
        blocks.RemoveAt(1);
        Assert.Contains("promises", Assert.Throws<InvalidDataException>(() => empty.Load(new MemoryStream(SnapshotBlocks.Join(blocks)))).Message);
        Assert.Equal(0, empty.Count);
        empty.Load(new MemoryStream(good));
        Assert.Equal(300, empty.Count);
    }

    /// <summary>Blocks whose checksums are right and whose contents lie: what a broken or hostile writer could make.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Lies_under_right_checksums_are_refused_or_harmless(bool counting, bool incremental)
    {
        var spec = counting ? Counting : Plain;
        var (full, increment) = Written(spec);
        var blocks = SnapshotBlocks.Of(incremental ? increment : full);
        var lie = Gen.OneOf(Gen.Int[-3, 20], Gen.Int, Gen.OneOf(Gen.Const(int.MaxValue), Gen.Const(int.MinValue), Gen.Const(1 << 20), Gen.Const(0)));
        var refused = 0;
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, blocks.Count - 1], Gen.Int[0, 20_000], lie).Array[1, 2].Sample(
            changes =>
            {
                var bad = blocks.ToList();
                foreach (var (kind, block, at, value) in changes)
                {
                    Lie(bad, kind, block % bad.Count, at, value);
                }

                using var made = new EmbeddingTable(spec, seed: 1);
                if (incremental)
                {
                    made.Load(new MemoryStream(full));
                }

                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var stream = new MemoryStream(SnapshotBlocks.Join(bad));
                    if (incremental)
                    {
                        made.LoadIncrement(stream);
                    }
                    else
                    {
                        made.Load(stream);
                    }

                    Assert.InRange(made.Count, 0, 20);
                }
                catch (InvalidDataException e)
                {
                    Assert.NotEmpty(e.Message);
                    Assert.True(made.Count == 0 || (incremental && IsAsBefore(made)));
                    refused++;
                }

                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
                Assert.InRange(made.Bytes, 0, 4 << 20);
                made.Validate();
                // It is a working table, whatever it was told.
                made.Update([5, 100], new float[4], [1, 1], [1, 1]);
                made.Validate();
            },
            iter: 1500,
            threads: 1);
        Assert.InRange(refused, 300, 1500);
    }

    private static void Lie(List<SnapshotBlock> blocks, int kind, int block, int at, int value)
    {
        var payload = (byte[])blocks[block].Payload.Clone();
        switch (kind)
        {
            case 0 when payload.Length >= 4:
                // A number somewhere: the first few are heads, where the lies that matter are.
                BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(at % 3 > 0 ? at / 3 * 4 % Math.Min(64, payload.Length - 3) : at % (payload.Length - 3)), value);
                break;
            case 1:
                payload = payload[..(at % (payload.Length + 1))];
                break;
            case 2:
                payload = [.. payload, .. new byte[at]];
                break;
            case 3:
                blocks[block] = blocks[block] with { Kind = value };
                return;
            case 4:
                blocks.Insert(at % (blocks.Count + 1), blocks[block]);
                return;
            default:
                blocks.RemoveAt(block);
                blocks.Add(new SnapshotBlock(5, payload));
                return;
        }

        blocks[block] = blocks[block] with { Payload = payload };
    }

    private static (byte[] Full, byte[] Increment) Written(TableSpec spec)
    {
        using var table = new EmbeddingTable(spec, seed: 1);
        for (var id = 0UL; id < 10; id++)
        {
            table.Push(id, [id, 1], occurrences: 3, seconds: 1000 + (uint)id);
        }

        table.Push(100, [1, 1]);
        table.Delete([100]);
        var full = Taken(table, SnapshotKind.Full);
        table.Push(3, [1, 1], occurrences: 2);
        table.Delete([4]);
        return (full, Taken(table, SnapshotKind.Incremental));
    }

    private static byte[] Taken(EmbeddingTable table, SnapshotKind kind)
    {
        var stream = new MemoryStream();
        using var snapshot = table.BeginSnapshot(kind, stream);
        Assert.Equal(kind, snapshot.Kind);
        snapshot.Complete();
        return stream.ToArray();
    }

    private static byte[] Flipped(byte[] good, int bit)
    {
        var bad = (byte[])good.Clone();
        bad[bit / 8] ^= (byte)(1 << (bit % 8));
        return bad;
    }

    private static void Refused(EmbeddingTable table, byte[] snapshot, Action<Stream> load)
    {
        Assert.NotEmpty(Assert.Throws<InvalidDataException>(() => load(new MemoryStream(snapshot))).Message);
        Assert.Equal(0, table.Count);
    }

    /// <summary>What an increment does before it is refused leaves nothing; one that is refused by its header leaves the table as it was.</summary>
    private static void RefusedIncrement(byte[] full, byte[] increment)
    {
        using var table = new EmbeddingTable(Plain, seed: 1);
        table.Load(new MemoryStream(full));
        Assert.NotEmpty(Assert.Throws<InvalidDataException>(() => table.LoadIncrement(new MemoryStream(increment))).Message);
        Assert.True(table.Count == 0 || IsAsBefore(table));
    }

    private static bool IsAsBefore(EmbeddingTable table) =>
        table.Count == 10 && table.Explain(3) is { LastSeconds: 1003, Occurrences: 2 or 3 } && table.Explain(4).Standing == IdStanding.Present;
}
