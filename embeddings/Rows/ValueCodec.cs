using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Rows;

/// <summary>Values as they lie in memory: 32 bits, or 16 of which bfloat16 keeps the range and IEEE half the digits.</summary>
internal static unsafe class ValueCodec
{
    /// <summary>Values converted at a time.</summary>
    private const int Lane = 8;

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
                Read<BrainFloat>((ushort*)from, (uint*)to, count);
                break;
            default:
                Read<HalfFloat>((ushort*)from, (uint*)to, count);
                break;
        }
    }

    /// <summary>
    /// Writes values, each rounded to the nearest. What is finite stays so: beyond the largest that 16 bits can hold, values
    /// stay there.
    /// </summary>
    public static void WriteNearest(RowPrecision precision, float* from, byte* to, int count)
    {
        switch (precision)
        {
            case RowPrecision.Float32:
                Copy(from, (float*)to, count);
                break;
            case RowPrecision.BFloat16:
                WriteNearest<BrainFloat>((uint*)from, (ushort*)to, count);
                break;
            default:
                WriteNearest<HalfFloat>((uint*)from, (ushort*)to, count);
                break;
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
    /// steps add up instead of being lost. Finite values stay finite.
    /// </summary>
    /// <param name="precision">16 bits of one kind or the other.</param>
    /// <param name="from">Values.</param>
    /// <param name="to">Rounded values.</param>
    /// <param name="count">How many.</param>
    /// <param name="seed">Random; value i rounds by the bits that are scrambled from seed + i.</param>
    public static void WriteAtRandom(RowPrecision precision, float* from, byte* to, int count, uint seed)
    {
        if (precision == RowPrecision.BFloat16)
        {
            WriteAtRandom<BrainFloat>((uint*)from, (ushort*)to, count, seed);
        }
        else
        {
            WriteAtRandom<HalfFloat>((uint*)from, (ushort*)to, count, seed);
        }
    }

    /// <summary>Copies floats; rows are short, so a call costs more than the loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* from, float* to, int count)
    {
        var at = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; at + Vector512<float>.Count <= count; at += Vector512<float>.Count)
            {
                Vector512.Store(Vector512.Load(from + at), to + at);
            }
        }

        for (; at + Vector256<float>.Count <= count; at += Vector256<float>.Count)
        {
            Vector256.Store(Vector256.Load(from + at), to + at);
        }

        for (; at < count; at++)
        {
            to[at] = from[at];
        }
    }

    private static void Read<T>(ushort* from, uint* to, int count)
        where T : struct, IShortFloat
    {
        var at = 0;
        for (; at + Lane <= count; at += Lane)
        {
            Vector256.Store(T.Widen(Vector256.WidenLower(Vector128.Load(from + at).ToVector256Unsafe())), to + at);
        }

        for (; at < count; at++)
        {
            to[at] = T.Widen(from[at]);
        }
    }

    private static void WriteNearest<T>(uint* from, ushort* to, int count)
        where T : struct, IShortFloat
    {
        var at = 0;
        for (; at + Lane <= count; at += Lane)
        {
            Store(T.Nearest(Vector256.Load(from + at)), to + at);
        }

        for (; at < count; at++)
        {
            to[at] = (ushort)T.Nearest(from[at]);
        }
    }

    private static void WriteAtRandom<T>(uint* from, ushort* to, int count, uint seed)
        where T : struct, IShortFloat
    {
        var at = 0;
        for (; at + Lane <= count; at += Lane)
        {
            var random = Scramble(Vector256<uint>.Indices + Vector256.Create(seed + (uint)at));
            Store(T.AtRandom(Vector256.Load(from + at), random), to + at);
        }

        for (; at < count; at++)
        {
            to[at] = (ushort)T.AtRandom(from[at], Scramble(seed + (uint)at));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<uint> lanes, ushort* to) => Vector128.Store(Vector128.Narrow(lanes.GetLower(), lanes.GetUpper()), to);

    /// <summary>Random bits by number: a bijection whose output bits depend on all input bits ("lowbias32", Wellons, 2018).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Scramble(Vector256<uint> number)
    {
        number = (number ^ (number >> 16)) * 0x7feb352d;
        number = (number ^ (number >> 15)) * 0x846ca68b;
        return number ^ (number >> 16);
    }

    private static uint Scramble(uint number)
    {
        number = (number ^ (number >> 16)) * 0x7feb352d;
        number = (number ^ (number >> 15)) * 0x846ca68b;
        return number ^ (number >> 16);
    }
}
