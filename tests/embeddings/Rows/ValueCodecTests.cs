using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings.Tests.Rows;

public sealed unsafe class ValueCodecTests
{
    /// <summary>Any bits at all, and sizes that rows have.</summary>
    private static readonly Gen<float> AnyFloat = Gen.OneOf(
        Gen.UInt.Select(BitConverter.UInt32BitsToSingle),
        Gen.Float[-2, 2],
        Gen.Float[-1e-4f, 1e-4f],
        Gen.Float[-70_000, 70_000]);

    [Theory]
    [InlineData(RowPrecision.Float16)]
    [InlineData(RowPrecision.BFloat16)]
    public void Rounding_at_random_gives_a_neighbour_and_is_right_on_average(RowPrecision precision)
    {
        var random = new Random(1);
        foreach (var value in new[] { 0.1f, -0.333f, 3.14159f, -1e-6f, 5e-8f, 1234.5f, 0f, 1f, 60001f })
        {
            var sum = 0.0;
            var seen = new HashSet<float>();
            for (var i = 0; i < 20_000; i++)
            {
                ushort kept;
                var from = value;
                float back;
                ValueCodec.WriteAtRandom(precision, &from, (byte*)&kept, 1, (uint)random.NextInt64(1L << 32));
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

    /// <summary>Alone, a value takes the scalar road; among eight, the vectors'.</summary>
    [Theory]
    [InlineData(RowPrecision.Float16)]
    [InlineData(RowPrecision.BFloat16)]
    public void Vectors_and_scalars_agree_in_every_bit(RowPrecision precision) => Gen.Select(AnyFloat.Array[1, 40], Gen.UInt).Sample(
        (values, seed) =>
        {
            var count = values.Length;
            var (nearest, chance, one) = (new ushort[count], new ushort[count], new ushort[count + 1]);
            var (wide, back) = (new float[count], 0f);
            fixed (float* from = values, read = wide)
            fixed (ushort* near = nearest, lot = chance, alone = one)
            {
                ValueCodec.WriteNearest(precision, from, (byte*)near, count);
                ValueCodec.WriteAtRandom(precision, from, (byte*)lot, count, seed);
                ValueCodec.Read(precision, (byte*)lot, read, count);
                for (var i = 0; i < count; i++)
                {
                    ValueCodec.WriteNearest(precision, from + i, (byte*)alone, 1);
                    Assert.Equal(alone[0], near[i]);
                    ValueCodec.Read(precision, (byte*)(lot + i), &back, 1);
                    Assert.Equal(BitConverter.SingleToUInt32Bits(back), BitConverter.SingleToUInt32Bits(read[i]));
                }

                // Random bits go by place: where a shorter run ends, its last values take the scalar road.
                for (var length = 1; length < count; length++)
                {
                    ValueCodec.WriteAtRandom(precision, from, (byte*)alone, length, seed);
                    Assert.Equal(chance[..length], one[..length]);
                }
            }
        },
        iter: 1000,
        threads: 1);

    [Fact]
    public void Halves_are_read_and_rounded_as_the_platform_does()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            float value;
            var kept = (ushort)bits;
            ValueCodec.Read(RowPrecision.Float16, (byte*)&kept, &value, 1);
            Assert.Equal((float)BitConverter.UInt16BitsToHalf(kept), value);
        }

        AnyFloat.Sample(
            value =>
            {
                ushort kept;
                ValueCodec.WriteNearest(RowPrecision.Float16, &value, (byte*)&kept, 1);
                var expected = (Half)(float.IsFinite(value) ? Math.Clamp(value, -65504, 65504) : value);
                Assert.Equal(expected, BitConverter.UInt16BitsToHalf(kept));
            },
            iter: 20_000,
            threads: 1);
    }

    [Theory]
    [InlineData(RowPrecision.Float16)]
    [InlineData(RowPrecision.BFloat16)]
    public void What_is_finite_stays_finite_and_what_is_not_stays_what_it_is(RowPrecision precision)
    {
        float[] values = [float.MaxValue, -float.MaxValue, 65519, 65521, float.PositiveInfinity, float.NegativeInfinity, float.NaN, -0f];
        for (var turn = 0u; turn < 200; turn++)
        {
            var kept = new ushort[8];
            var back = new float[8];
            fixed (float* from = values, to = back)
            fixed (ushort* half = kept)
            {
                if (turn == 0)
                {
                    ValueCodec.WriteNearest(precision, from, (byte*)half, 8);
                }
                else
                {
                    ValueCodec.WriteAtRandom(precision, from, (byte*)half, 8, turn);
                }

                ValueCodec.Read(precision, (byte*)half, to, 8);
            }

            Assert.All(back[..4], value => Assert.True(float.IsFinite(value)));
            Assert.Equal([float.PositiveInfinity, float.NegativeInfinity, float.NaN], back[4..7]);
            Assert.True(float.IsNegative(back[7]) && back[7] == 0);
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

                ValueCodec.WriteNearest(precision, &value, (byte*)&nearest, 1);
                ValueCodec.WriteAtRandom(precision, &value, (byte*)&chance, 1, bits);
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
