using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Text;

namespace Monolith.Features;

/// <summary>
/// How values become 64-bit ids: XxHash3 of the value's canonical UTF-8 text, seeded with the salt of its feature (the hash
/// of the feature's name), so that equal values of different features never share a row by design.
/// </summary>
/// <remarks>
/// A number's canonical text is its shortest invariant form, integers without exponent, so 7, 7.0 and "7" are one category
/// wherever they come from (JSON, protobuf or a file); so is "7.0", as a table with missing values writes 7. Any other text
/// ("007", "+7", "7.50", "7e0") is itself. Nothing here allocates for texts up to 256 characters.
/// </remarks>
public static class FeatureId
{
    private const int StackChars = 256;

    /// <summary>The salt of a feature.</summary>
    public static ulong Salt(string feature) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(feature));

    /// <summary>The id of a text.</summary>
    [SkipLocalsInit]
    public static ulong Of(ulong salt, ReadOnlySpan<char> text)
    {
        text = WithoutZeroFraction(text);
        if (text.Length <= StackChars)
        {
            Span<byte> bytes = stackalloc byte[StackChars * 3];
            return Of(salt, (ReadOnlySpan<byte>)bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        }

        return OfLong(salt, text);
    }

    /// <summary>The id of an integer.</summary>
    public static ulong Of(ulong salt, long value)
    {
        Span<byte> bytes = stackalloc byte[24];
        value.TryFormat(bytes, out var written, default, CultureInfo.InvariantCulture);
        return Of(salt, (ReadOnlySpan<byte>)bytes[..written]);
    }

    /// <summary>The id of a finite number.</summary>
    public static ulong Of(ulong salt, double value)
    {
        // Below 2^63 an integral double is exactly a long, and must be the same category as that long.
        if (value == Math.Floor(value) && Math.Abs(value) < 9.2e18)
        {
            return Of(salt, (long)value);
        }

        Span<byte> bytes = stackalloc byte[32];
        value.TryFormat(bytes, out var written, default, CultureInfo.InvariantCulture);
        return Of(salt, (ReadOnlySpan<byte>)bytes[..written]);
    }

    /// <summary>Starts the id of a cross from its salt; <see cref="Cross"/> adds a component.</summary>
    /// <param name="state">The cross's salt, or what the last call returned.</param>
    /// <param name="id">Id of the next component; their order matters.</param>
    /// <returns>The id of the cross once all components are in.</returns>
    public static ulong Cross(ulong state, ulong id)
    {
        // Each step is a bijection of the state for a given component and of the component for a given state; the
        // finalizer is SplitMix64's (Steele, Lea, Flood, 2014).
        var z = (state * 0x9e3779b97f4a7c15UL) + id;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }

    // The integer in an integer's digits that are followed by a point and zeros; any other text as it is.
    private static ReadOnlySpan<char> WithoutZeroFraction(ReadOnlySpan<char> text)
    {
        if (!text.EndsWith('0'))
        {
            return text;
        }

        var integer = text.TrimEnd('0');
        if (!integer.EndsWith('.'))
        {
            return text;
        }

        integer = integer[..^1];
        var digits = integer.StartsWith('-') ? integer[1..] : integer;
        var isInteger = !digits.IsEmpty && !digits.ContainsAnyExceptInRange('0', '9') && (digits.Length == 1 || digits[0] != '0');
        return !isInteger ? text : digits is "0" ? digits : integer;
    }

    private static ulong Of(ulong salt, ReadOnlySpan<byte> utf8) => XxHash3.HashToUInt64(utf8, unchecked((long)salt));

    private static ulong OfLong(ulong salt, ReadOnlySpan<char> text)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            return Of(salt, (ReadOnlySpan<byte>)bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
