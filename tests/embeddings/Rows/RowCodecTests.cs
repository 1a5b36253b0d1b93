using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Rows;

/// <summary>What a replica reads is what was trained, rounded to each segment's serving precision, however it came.</summary>
public sealed class RowCodecTests
{
    private static readonly Gen<TableSpec> Tables =
        Gen.Select(Gen.Enum<RowPrecision>(), Segments(), Gen.Enum<UnseenValue>(), (precision, segments, unseen) =>
            Specs.Table(segments) with { Precision = precision, Unseen = unseen });

    [Fact]
    public void Each_segment_travels_in_its_own_precision_without_padding()
    {
        var spec = Specs.Table(
            Specs.Segment(1, new SgdOptimizer()),
            Specs.Segment(3, new SgdOptimizer()) with { ServingPrecision = RowPrecision.Float16 },
            Specs.Segment(2, new SgdOptimizer()) with { ServingPrecision = RowPrecision.BFloat16 });
        using var table = new EmbeddingTable(spec, seed: 1);
        float[] values = [0.1f, 0.1f, -2, 1e9f, 0.1f, 1e9f, -7, float.NaN, -1e9f, float.NegativeInfinity, float.MaxValue, 4];
        table.Assign([7, 8], values);
        var rows = new byte[2 * new ServedRow(spec).Bytes];
        Assert.Equal(2 * (4 + 6 + 4), rows.Length);
        table.LookupServed([7, 8], rows);
        using var replica = new EmbeddingTable(spec, seed: 1, TableContent.Values);
        replica.AssignServed([7, 8], rows);

        // Finite values stay finite: the largest that the precision can hold.
        var largest = BitConverter.UInt32BitsToSingle(0x7f7f0000);
        float[] expected =
            [0.1f, (float)(Half)0.1f, -2, 65504, 0.10009765625f, 998244352, -7, float.NaN, -65504, float.NegativeInfinity, largest, 4];
        Assert.Equal(expected, replica.Read(7, 8));
        Assert.Throws<ArgumentException>(() => table.LookupServed([7], new byte[15]));
        Assert.Throws<ArgumentException>(() => replica.AssignServed([7], new byte[13]));
    }

    [Fact]
    public void A_replica_reads_the_same_by_delta_by_snapshot_by_increment_and_before_there_is_a_row() =>
        Gen.Select(Tables, Gen.Int[0, 1000]).Sample((spec, seed) =>
        {
            var random = new Random(seed);
            ulong[] ids = [.. Enumerable.Range(0, 40).Select(i => (ulong)i)];
            using var table = new EmbeddingTable(spec, seed: 5);
            using var byDelta = new EmbeddingTable(spec, seed: 5, TableContent.Values);
            using var bySnapshot = new EmbeddingTable(spec, seed: 5, TableContent.Values);
            foreach (var kind in new[] { SnapshotKind.Full, SnapshotKind.Incremental })
            {
                ulong[] some = [.. ids.Where(_ => random.Next(3) == 0)];
                table.Update(
                    some,
                    [.. Enumerable.Range(0, some.Length * spec.Dimension).Select(_ => 20 * (random.NextSingle() - 0.5f))],
                    [.. some.Select(_ => 1)],
                    [.. some.Select(_ => 1u)]);
                var rows = new byte[some.Length * new ServedRow(spec).Bytes];
                table.LookupServed(some, rows);
                byDelta.AssignServed(some, rows);
                var stream = new MemoryStream();
                table.Save(stream, kind);
                stream.Position = 0;
                if (kind == SnapshotKind.Full)
                {
                    bySnapshot.Load(stream);
                }
                else
                {
                    bySnapshot.LoadIncrement(stream);
                }

                var expected = Rounded(spec, table.Read(ids));
                Assert.Equal(expected, byDelta.Read(ids));
                Assert.Equal(expected, bySnapshot.Read(ids));
            }
        });

    [Fact]
    public void Rows_learned_in_16_bits_travel_in_16_bits()
    {
        var segment = Specs.Segment(3, new SgdOptimizer());
        var spec = Specs.Table(segment, segment with { ServingPrecision = RowPrecision.BFloat16 });
        Assert.Equal("3 × Float32 + 3 × BFloat16", new ServedRow(spec).ToString());
        Assert.Equal("3 × Float16 + 3 × BFloat16", new ServedRow(spec with { Precision = RowPrecision.Float16 }).ToString());
        Assert.Equal("6 × BFloat16", new ServedRow(spec with { Precision = RowPrecision.BFloat16 }).ToString());
    }

    [Fact]
    public void A_replica_of_16_bits_takes_about_half_the_memory()
    {
        var segment = Specs.Segment(64, new SgdOptimizer());
        var full = Bytes(segment);
        var half = Bytes(segment with { ServingPrecision = RowPrecision.Float16 });
        Assert.InRange((double)half / full, 0.5, 0.6);

        static long Bytes(SegmentSpec segment)
        {
            // The index grows by the ids' hashes, so its size is only the same every time with a fixed one.
            using var replica = new EmbeddingTable(Specs.Table(segment), seed: 1, TableContent.Values, new IdHash(1, 2, 3));
            replica.Assign([.. Enumerable.Range(0, 200_000).Select(i => (ulong)i)], new float[200_000 * 64]);
            return replica.Bytes;
        }
    }

    private static Gen<SegmentSpec[]> Segments() =>
        Gen.Select(Gen.Int[1, 20], Gen.Enum<RowPrecision>(), (dimension, precision) =>
            Specs.Segment(dimension, new AdagradOptimizer { LearningRate = 0.1f }, new UniformInitializer(-0.5f, 0.5f))
                with
            { ServingPrecision = precision }).Array[1, 4];

    // Beside the product's own rounding.
    private static float[] Rounded(TableSpec spec, float[] values)
    {
        RowPrecision[] precisions = [.. spec.Segments.SelectMany(s => Enumerable.Repeat(s.ServingPrecision, s.Dimension))];
        return [.. values.Select((value, i) => precisions[i % precisions.Length] switch
        {
            RowPrecision.Float16 => (float)(Half)value,
            RowPrecision.BFloat16 => Cut(BitConverter.SingleToUInt32Bits(value)),
            _ => value,
        })];

        static float Cut(uint bits) => BitConverter.UInt32BitsToSingle((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
    }
}
