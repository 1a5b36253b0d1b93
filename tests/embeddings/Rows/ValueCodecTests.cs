using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings.Tests.Rows;

public sealed unsafe class ValueCodecTests
{
    [Theory]
    [InlineData(RowPrecision.Float16)]
    [InlineData(RowPrecision.BFloat16)]
    public void Rounding_at_random_gives_a_neighbour_and_is_right_on_average(RowPrecision precision)
    {
        var random = 1UL;
        foreach (var value in new[] { 0.1f, -0.333f, 3.14159f, -1e-6f, 5e-8f, 1234.5f, 0f, 1f, 60001f })
        {
            var sum = 0.0;
            var seen = new HashSet<float>();
            for (var i = 0; i < 20_000; i++)
            {
                ushort kept;
                var from = value;
                float back;
                ValueCodec.WriteAtRandom(precision, &from, (byte*)&kept, 1, ref random);
                ValueCodec.Read(precision, (byte*)&kept, &back, 1);
                sum += back;
                seen.Add(back);
            }

            Assert.InRange(seen.Count, 1, 2);
            var gap = seen.Count == 2 ? seen.Max() - seen.Min() : 0;
            Assert.InRange(value, seen.Min(), seen.Max());
            Assert.Equal(value, sum / 20_000, Math.Max(gap * 0.02, 1e-12));
        }
    }

    [Fact]
    public void What_a_half_can_hold_comes_back_unchanged() => Gen.UShort.Sample(
        bits =>
        {
            foreach (var precision in new[] { RowPrecision.Float16, RowPrecision.BFloat16 })
            {
                float value, again;
                ushort kept = bits, nearest, chance;
                ValueCodec.Read(precision, (byte*)&kept, &value, 1);
                if (!float.IsFinite(value))
                {
                    continue;
                }

                var random = (ulong)bits + 1;
                ValueCodec.WriteNearest(precision, &value, (byte*)&nearest, 1);
                ValueCodec.WriteAtRandom(precision, &value, (byte*)&chance, 1, ref random);
                ValueCodec.Read(precision, (byte*)&nearest, &again, 1);
                Assert.Equal(value, again);
                ValueCodec.Read(precision, (byte*)&chance, &again, 1);
                Assert.Equal(value, again);
            }
        },
        iter: 5000,
        threads: 1);

    [Fact]
    public void Small_steps_add_up_in_rows_of_sixteen_bits()
    {
        // A step of 1/4096 is lost beside 1 when rounding to the nearest; at random it counts.
        foreach (var precision in new[] { RowPrecision.Float16, RowPrecision.BFloat16 })
        {
            var spec = Specs.Table(Specs.Segment(8, new SgdOptimizer { LearningRate = 1 }, new ConstantInitializer(1))) with { Precision = precision };
            using var table = new EmbeddingTable(spec, seed: 1);
            Assert.Equal(1, table.Read(5)[0]);
            var gradient = Enumerable.Repeat(1 / 4096f, 8).ToArray();
            for (var i = 0; i < 2048; i++)
            {
                table.Push(5, gradient);
            }

            Assert.Equal(0.5, table.Read(5).Average(), 0.05);
        }
    }

    [Fact]
    public void An_unseen_id_reads_what_its_row_of_sixteen_bits_will_start_from()
    {
        var spec = Specs.Table(Specs.Segment(5, new AdagradOptimizer(), new UniformInitializer(-1, 1))) with { Precision = RowPrecision.BFloat16 };
        using var table = new EmbeddingTable(spec, seed: 1);
        ulong[] ids = [.. Enumerable.Range(0, 40).Select(i => (ulong)i)];
        var before = table.Read(ids);
        table.Update(ids, new float[200], [.. Enumerable.Repeat(1, 40)], new uint[40]);
        Assert.Equal(40, table.Count);
        Assert.Equal(before, table.Read(ids));
    }
}
