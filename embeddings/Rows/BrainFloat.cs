using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Monolith.Embeddings.Rows;

/// <summary>bfloat16: the upper half of a float, so that rounding is adding and cutting off.</summary>
internal readonly struct BrainFloat : IShortFloat
{
    private const uint Size = 0x7fffffff;
    private const uint Infinite = 0x7f800000;
    private const uint Largest = 0x7f7f;
    private const uint NotANumber = 0x7fc0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Widen(Vector256<uint> kept) => kept << 16;

    public static uint Widen(uint kept) => kept << 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Nearest(Vector256<uint> value) =>
        Cut(value, Vector256.Create(0x7fffu) + ((value >> 16) & Vector256<uint>.One));

    public static uint Nearest(uint value) => Cut(value, 0x7fff + ((value >> 16) & 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> AtRandom(Vector256<uint> value, Vector256<uint> random) => Cut(value, random >> 16);

    public static uint AtRandom(uint value, uint random) => Cut(value, random >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Cut(Vector256<uint> value, Vector256<uint> carry)
    {
        var size = value & Vector256.Create(Size);
        var infinite = Vector256.Create(Infinite);
        var finite = Vector256.Min((size + carry) >> 16, Vector256.Create(Largest));
        var other = Vector256.ConditionalSelect(Vector256.GreaterThan(size, infinite), Vector256.Create(NotANumber), infinite >> 16);
        return ((value >> 16) & Vector256.Create(0x8000u)) | Vector256.ConditionalSelect(Vector256.LessThan(size, infinite), finite, other);
    }

    private static uint Cut(uint value, uint carry)
    {
        var size = value & Size;
        var rounded = size switch
        {
            < Infinite => Math.Min((size + carry) >> 16, Largest),
            Infinite => Infinite >> 16,
            _ => NotANumber,
        };
        return ((value >> 16) & 0x8000) | rounded;
    }
}
