using Monolith.Embeddings.Optimizers;

namespace Monolith.Embeddings.Tests.Optimizers;

/// <summary>A lane twice as wide as another: pairs of pairs have every width, whatever this machine's vectors have.</summary>
internal readonly unsafe struct PairLane<T>(T low, T high) : ILane<PairLane<T>>
    where T : struct, ILane<T>
{
    private readonly T _low = low;
    private readonly T _high = high;

    public static int Count => 2 * T.Count;

    public static PairLane<T> operator +(PairLane<T> left, PairLane<T> right) => new(left._low + right._low, left._high + right._high);

    public static PairLane<T> operator -(PairLane<T> left, PairLane<T> right) => new(left._low - right._low, left._high - right._high);

    public static PairLane<T> operator *(PairLane<T> left, PairLane<T> right) => new(left._low * right._low, left._high * right._high);

    public static PairLane<T> operator /(PairLane<T> left, PairLane<T> right) => new(left._low / right._low, left._high / right._high);

    public static PairLane<T> Of(float value) => new(T.Of(value), T.Of(value));

    public static PairLane<T> Load(float* from) => new(T.Load(from), T.Load(from + T.Count));

    public static void Store(PairLane<T> lane, float* to)
    {
        T.Store(lane._low, to);
        T.Store(lane._high, to + T.Count);
    }

    public static PairLane<T> Sqrt(PairLane<T> lane) => new(T.Sqrt(lane._low), T.Sqrt(lane._high));

    public static PairLane<T> Max(PairLane<T> left, PairLane<T> right) => new(T.Max(left._low, right._low), T.Max(left._high, right._high));

    public static PairLane<T> Abs(PairLane<T> lane) => new(T.Abs(lane._low), T.Abs(lane._high));

    public static PairLane<T> Sign(PairLane<T> lane) => new(T.Sign(lane._low), T.Sign(lane._high));

    public static PairLane<T> WhereGreater(PairLane<T> left, PairLane<T> right, PairLane<T> yes, PairLane<T> no) => new(
        T.WhereGreater(left._low, right._low, yes._low, no._low), T.WhereGreater(left._high, right._high, yes._high, no._high));

    public static float Sum(PairLane<T> lane) => T.Sum(lane._low) + T.Sum(lane._high);

    public static float Largest(PairLane<T> lane) => MathF.Max(T.Largest(lane._low), T.Largest(lane._high));
}
