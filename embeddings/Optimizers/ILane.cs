using System.Numerics;

namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// Some floats that are computed on together. An optimizer is written once over this interface and runs as
/// <see cref="VectorLane"/> (the machine's vectors) and as <see cref="ScalarLane"/> (one float: remainders, and the twin
/// that tests compare with).
/// </summary>
internal unsafe interface ILane<T> :
    IAdditionOperators<T, T, T>, ISubtractionOperators<T, T, T>, IMultiplyOperators<T, T, T>, IDivisionOperators<T, T, T>
    where T : struct, ILane<T>
{
    /// <summary>Floats a lane.</summary>
    static abstract int Count { get; }

    static abstract T Of(float value);

    static abstract T Load(float* from);

    static abstract void Store(T lane, float* to);

    static abstract T Sqrt(T lane);

    static abstract T Max(T left, T right);

    static abstract T Abs(T lane);

    /// <summary>+1 or −1 by the sign of each float.</summary>
    static abstract T Sign(T lane);

    /// <summary>Where left &gt; right, <paramref name="yes"/>; elsewhere <paramref name="no"/>.</summary>
    static abstract T WhereGreater(T left, T right, T yes, T no);

    /// <summary>The sum of the floats.</summary>
    static abstract float Sum(T lane);

    /// <summary>The largest of the floats.</summary>
    static abstract float Largest(T lane);
}
