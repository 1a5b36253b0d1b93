using System.Runtime.Intrinsics;

namespace Monolith.Embeddings.Rows;

/// <summary>
/// A format of 16 bits: eight values at a time, and one at a time (remainders, and the twin that tests compare with bit for
/// bit). Values and random bits come as the bits of 32-bit lanes; the 16 bits lie in the lower half of theirs.
/// </summary>
internal interface IShortFloat
{
    /// <summary>The float that 16 bits stand for, exactly.</summary>
    static abstract Vector256<uint> Widen(Vector256<uint> kept);

    /// <inheritdoc cref="Widen(Vector256{uint})"/>
    static abstract uint Widen(uint kept);

    /// <summary>
    /// Rounds to the nearest, ties to even. Finite values beyond the largest become the largest; infinities and NaN stay.
    /// </summary>
    static abstract Vector256<uint> Nearest(Vector256<uint> value);

    /// <inheritdoc cref="Nearest(Vector256{uint})"/>
    static abstract uint Nearest(uint value);

    /// <summary>As <see cref="Nearest(Vector256{uint})"/>, but up or down at random, so that the expectation is exact.</summary>
    static abstract Vector256<uint> AtRandom(Vector256<uint> value, Vector256<uint> random);

    /// <inheritdoc cref="AtRandom(Vector256{uint}, Vector256{uint})"/>
    static abstract uint AtRandom(uint value, uint random);
}
