using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Monolith.Embeddings.Rows;

/// <summary>
/// IEEE half precision: 5 bits of exponent (a float has 8, and 112 more to its bias) and 10 of mantissa (of 23). Below 2⁻¹⁴ a
/// half counts in units of 2⁻²⁴.
/// </summary>
internal readonly struct HalfFloat : IShortFloat
{
    private const int Dropped = 13;
    private const uint Size = 0x7fffffff;
    private const uint Infinite = 0x7f800000;
    private const uint SmallestNormal = 0x38800000;
    private const uint Bias = 112u << 23;
    private const uint Largest = 0x7bff;
    private const uint InfiniteHalf = 0x7c00;
    private const uint NotANumber = 0x7e00;
    private const float UnitsOfOne = 1 << 24;

    /// <summary>A float's last place at ½ is 2⁻²⁴: adding ½ rounds to whole units, as the processor rounds.</summary>
    private const float Half = 0.5f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Widen(Vector256<uint> kept)
    {
        var size = (kept & Vector256.Create(0x7fffu)) << Dropped;
        var biased = size + Vector256.Create(Bias);
        var first = Vector256.Create(SmallestNormal);
        // Mantissa over 2⁻¹⁴, minus 2⁻¹⁴.
        var small = ((size + first).AsSingle() - first.AsSingle()).AsUInt32();
        var large = Vector256.ConditionalSelect(
            Vector256.LessThan(size, Vector256.Create(InfiniteHalf << Dropped)), biased, biased + Vector256.Create(Bias));
        var wide = Vector256.ConditionalSelect(Vector256.LessThan(size, Vector256.Create(1u << 23)), small, large);
        return wide | ((kept & Vector256.Create(0x8000u)) << 16);
    }

    public static uint Widen(uint kept)
    {
        var size = (kept & 0x7fff) << Dropped;
        var wide = size switch
        {
            < 1 << 23 => Bits(Float(size + SmallestNormal) - Float(SmallestNormal)),
            < InfiniteHalf << Dropped => size + Bias,
            _ => size + Bias + Bias,
        };
        return wide | ((kept & 0x8000) << 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Nearest(Vector256<uint> value)
    {
        var size = value & Vector256.Create(Size);
        var half = Vector256.Create(Half);
        var units = (size.AsSingle() + half).AsUInt32() - half.AsUInt32();
        return Combine(value, size, Vector256.Create(0xfffu) + ((size >> Dropped) & Vector256<uint>.One), units);
    }

    public static uint Nearest(uint value)
    {
        var size = value & Size;
        return Combine(value, size, 0xfff + ((size >> Dropped) & 1), Bits(Float(size) + Half) - Bits(Half));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> AtRandom(Vector256<uint> value, Vector256<uint> random)
    {
        var size = value & Vector256.Create(Size);
        // Larger sizes are no matter of units; the smallest keeps their conversion in range.
        var inUnits = Vector256.Min(size, Vector256.Create(SmallestNormal)).AsSingle() * Vector256.Create(UnitsOfOne);
        var whole = Vector256.ConvertToInt32Native(inUnits);
        var chance = Vector256.ConvertToSingle((random >> 8).AsInt32()) * Vector256.Create(1 / UnitsOfOne);
        // Where a comparison holds, all bits are set: −1.
        var up = Vector256.LessThan(chance, inUnits - Vector256.ConvertToSingle(whole)).AsInt32();
        return Combine(value, size, random & Vector256.Create((1u << Dropped) - 1), (whole - up).AsUInt32());
    }

    public static uint AtRandom(uint value, uint random)
    {
        var size = value & Size;
        var inUnits = Float(Math.Min(size, SmallestNormal)) * UnitsOfOne;
        var whole = (uint)inUnits;
        var up = (random >> 8) * (1 / UnitsOfOne) < inUnits - whole ? 1u : 0;
        return Combine(value, size, random & ((1u << Dropped) - 1), whole + up);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Combine(Vector256<uint> value, Vector256<uint> size, Vector256<uint> carry, Vector256<uint> units)
    {
        var infinite = Vector256.Create(Infinite);
        var normal = Vector256.Min((size + carry - Vector256.Create(Bias)) >> Dropped, Vector256.Create(Largest));
        var finite = Vector256.ConditionalSelect(Vector256.LessThan(size, Vector256.Create(SmallestNormal)), units, normal);
        var other = Vector256.ConditionalSelect(
            Vector256.GreaterThan(size, infinite), Vector256.Create(NotANumber), Vector256.Create(InfiniteHalf));
        return ((value >> 16) & Vector256.Create(0x8000u)) | Vector256.ConditionalSelect(Vector256.LessThan(size, infinite), finite, other);
    }

    private static uint Combine(uint value, uint size, uint carry, uint units)
    {
        var rounded = size switch
        {
            < SmallestNormal => units,
            < Infinite => Math.Min((size + carry - Bias) >> Dropped, Largest),
            Infinite => InfiniteHalf,
            _ => NotANumber,
        };
        return ((value >> 16) & 0x8000) | rounded;
    }

    private static float Float(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}
