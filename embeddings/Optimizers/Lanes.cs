using System.Runtime.CompilerServices;

namespace Monolith.Embeddings.Optimizers;

/// <summary>Sums over a whole segment: in lanes, then the rest one by one.</summary>
internal static unsafe class Lanes
{
    /// <summary>Σ x².</summary>
    public static float SumOfSquares<T>(float* x, int count)
        where T : struct, ILane<T>
    {
        var sum = T.Of(0);
        var at = 0;
        for (; at + T.Count <= count; at += T.Count)
        {
            var lane = T.Load(x + at);
            sum += lane * lane;
        }

        var rest = T.Sum(sum);
        for (; at < count; at++)
        {
            rest += x[at] * x[at];
        }

        return rest;
    }

    /// <summary>The largest x².</summary>
    public static float LargestSquare<T>(float* x, int count)
        where T : struct, ILane<T>
    {
        var largest = T.Of(0);
        var at = 0;
        for (; at + T.Count <= count; at += T.Count)
        {
            var lane = T.Load(x + at);
            largest = T.Max(largest, lane * lane);
        }

        var rest = T.Largest(largest);
        for (; at < count; at++)
        {
            rest = MathF.Max(rest, x[at] * x[at]);
        }

        return rest;
    }

    /// <summary>to = a·x + b·y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Combine<T>(float a, float* x, float b, float* y, float* to, int count)
        where T : struct, ILane<T>
    {
        var at = 0;
        for (; at + T.Count <= count; at += T.Count)
        {
            T.Store((T.Of(a) * T.Load(x + at)) + (T.Of(b) * T.Load(y + at)), to + at);
        }

        for (; at < count; at++)
        {
            to[at] = (a * x[at]) + (b * y[at]);
        }
    }
}
