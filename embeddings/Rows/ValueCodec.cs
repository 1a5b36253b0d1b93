using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Rows;

/// <summary>Values as they lie in memory: 32 bits, or 16 of which bfloat16 keeps the range and IEEE half the digits.</summary>
internal static unsafe class ValueCodec
{
    private const float LargestHalf = 65504;
    private const float SmallestNormalHalf = 6.1035156e-5f;
    private const float HalfUnit = 5.9604645e-8f;

    /// <summary>Bytes a value.</summary>
    public static int BytesOf(RowPrecision precision) => precision == RowPrecision.Float32 ? 4 : 2;

    /// <summary>Reads values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read(RowPrecision precision, byte* from, float* to, int count)
    {
        switch (precision)
        {
            case RowPrecision.Float32:
                Copy((float*)from, to, count);
                break;
            case RowPrecision.BFloat16:
                for (var i = 0; i < count; i++)
                {
                    to[i] = BitConverter.UInt32BitsToSingle((uint)((ushort*)from)[i] << 16);
                }

                break;
            default:
                for (var i = 0; i < count; i++)
                {
                    to[i] = (float)((Half*)from)[i];
                }

                break;
        }
    }

    /// <summary>Writes values, each rounded to the nearest.</summary>
    public static void WriteNearest(RowPrecision precision, float* from, byte* to, int count)
    {
        for (var i = 0; i < count; i++)
        {
            switch (precision)
            {
                case RowPrecision.Float32:
                    ((float*)to)[i] = from[i];
                    break;
                case RowPrecision.BFloat16:
                    // Half of the last place, and its tie to even.
                    var bits = BitConverter.SingleToUInt32Bits(from[i]);
                    ((ushort*)to)[i] = Truncate(from[i], bits + 0x7fff + ((bits >> 16) & 1));
                    break;
                default:
                    ((Half*)to)[i] = (Half)Math.Clamp(from[i], -LargestHalf, LargestHalf);
                    break;
            }
        }
    }

    /// <summary>Rounds values to what the precision can hold.</summary>
    public static void Round(RowPrecision precision, Span<float> values)
    {
        var kept = 0u;
        foreach (ref var value in values)
        {
            var wide = value;
            WriteNearest(precision, &wide, (byte*)&kept, 1);
            Read(precision, (byte*)&kept, &wide, 1);
            value = wide;
        }
    }

    /// <summary>
    /// Writes values, each rounded up or down at random, with the probability that makes the expectation exact: small
    /// steps add up instead of being lost. Beyond the largest half, values stay there.
    /// </summary>
    /// <param name="precision">16 bits of one kind or the other.</param>
    /// <param name="from">Values.</param>
    /// <param name="to">Rounded values.</param>
    /// <param name="count">How many.</param>
    /// <param name="random">Not 0; moves on.</param>
    public static void WriteAtRandom(RowPrecision precision, float* from, byte* to, int count, ref ulong random)
    {
        for (var i = 0; i < count; i++)
        {
            // xorshift64 (Marsaglia, 2003).
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            var bits = BitConverter.SingleToUInt32Bits(from[i]);
            if (precision == RowPrecision.BFloat16)
            {
                ((ushort*)to)[i] = Truncate(from[i], bits + (uint)(random >> 48));
            }
            else
            {
                ((Half*)to)[i] = HalfAtRandom(from[i], bits, (uint)(random >> 32));
            }
        }
    }

    /// <summary>Copies floats; rows are short, so a call costs more than the loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* from, float* to, int count)
    {
        var at = 0;
        for (; at + Vector256<float>.Count <= count; at += Vector256<float>.Count)
        {
            Vector256.Store(Vector256.Load(from + at), to + at);
        }

        for (; at < count; at++)
        {
            to[at] = from[at];
        }
    }

    private static ushort Truncate(float value, uint rounded)
    {
        if (float.IsFinite(value))
        {
            return (ushort)(rounded >> 16);
        }

        return float.IsNaN(value) ? (ushort)0x7fc0 : (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
    }

    private static Half HalfAtRandom(float value, uint bits, uint random)
    {
        if (!float.IsFinite(value))
        {
            return (Half)value;
        }

        var size = MathF.Abs(value);
        if (size >= LargestHalf)
        {
            return (Half)MathF.CopySign(LargestHalf, value);
        }

        if (size < SmallestNormalHalf)
        {
            return (Half)(MathF.Floor((value / HalfUnit) + ((random >> 8) * (1f / (1 << 24)))) * HalfUnit);
        }

        // A half keeps 10 of 23 bits: the lower 13 carry into them as often as they say.
        var rounded = BitConverter.UInt32BitsToSingle((bits + (random & 0x1fff)) & ~0x1fffu);
        return (Half)Math.Clamp(rounded, -LargestHalf, LargestHalf);
    }
}
