using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Monolith.Embeddings.Index;

/// <summary>
/// A bucket of the index: one cache line.
/// <code>
/// byte  0 … 39   five ids, 8 bytes each
/// byte 40 … 59   their rows, 4 bytes each
/// byte 60 … 63   tail:  bits 0–4   which entries are used
///                       bits 5–15  how many ids of this bucket lie in their second bucket instead
///                       bits 16–31 which of 16 classes those ids are of (a tiny Bloom filter)
/// </code>
/// Which entries are used is a bit of its own, so that every 64-bit id is legal. The count and the classes spare most
/// lookups of absent ids the second line.
/// </summary>
internal static unsafe class Bucket
{
    /// <summary>Bytes a bucket.</summary>
    public const int Bytes = 64;

    /// <summary>Entries a bucket.</summary>
    public const int Entries = 5;

    /// <summary>All entries used.</summary>
    public const uint Full = (1 << Entries) - 1;

    private const int AwayShift = 5;
    private const uint AwayOne = 1 << AwayShift;
    private const uint AwayMask = 0x7ff << AwayShift;
    private const int ClassShift = 16;

    /// <summary>The tail.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref uint Tail(byte* bucket) => ref *(uint*)(bucket + 60);

    /// <summary>Which entries are used, as bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Used(byte* bucket) => Tail(bucket) & Full;

    /// <summary>The id of an entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref ulong Id(byte* bucket, int entry) => ref ((ulong*)bucket)[entry];

    /// <summary>The row of an entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref uint Row(byte* bucket, int entry) => ref ((uint*)(bucket + 40))[entry];

    /// <summary>The entry of an id as a bit, or 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Match(byte* bucket, ulong id)
    {
        uint equal;
        if (Vector512.IsHardwareAccelerated)
        {
            // Lanes 5 to 7 compare rows and tail: masked away with the unused entries.
            equal = (uint)Vector512.Equals(Vector512.Load((ulong*)bucket), Vector512.Create(id)).ExtractMostSignificantBits();
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            equal = Vector256.Equals(Vector256.Load((ulong*)bucket), Vector256.Create(id)).ExtractMostSignificantBits();
            equal |= ((ulong*)bucket)[4] == id ? 16u : 0u;
        }
        else
        {
            equal = ScalarMatch(bucket, id);
        }

        return equal & Used(bucket);
    }

    /// <summary>The scalar twin of <see cref="Match"/>, before unused entries are masked away.</summary>
    public static uint ScalarMatch(byte* bucket, ulong id)
    {
        var equal = 0u;
        for (var entry = 0; entry < Entries; entry++)
        {
            equal |= Id(bucket, entry) == id ? 1u << entry : 0u;
        }

        return equal;
    }

    /// <summary>The first unused entry, or <see cref="Entries"/> when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FirstFree(byte* bucket) => BitOperations.TrailingZeroCount(~Used(bucket));

    /// <summary>Writes an entry.</summary>
    public static void Put(byte* bucket, int entry, ulong id, uint row)
    {
        Id(bucket, entry) = id;
        Row(bucket, entry) = row;
        Tail(bucket) |= 1u << entry;
    }

    /// <summary>Removes an entry.</summary>
    public static void Remove(byte* bucket, int entry) => Tail(bucket) &= ~(1u << entry);

    /// <summary>Whether an id of this bucket may lie in its second one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool MayBeAway(byte* bucket, uint second) => ((Tail(bucket) >> (ClassShift + (int)(second & 15))) & 1) != 0;

    /// <summary>Notes that an id of this bucket went to its second one.</summary>
    public static void GoesAway(byte* bucket, uint second) =>
        Tail(bucket) = (Tail(bucket) + AwayOne) | (1u << (ClassShift + (int)(second & 15)));

    /// <summary>Notes that one came back or is gone; the classes are forgotten with the last.</summary>
    public static void NoLongerAway(byte* bucket)
    {
        var tail = Tail(bucket) - AwayOne;
        Tail(bucket) = (tail & AwayMask) == 0 ? tail & Full : tail;
    }

    /// <summary>How many ids of this bucket lie in their second one.</summary>
    public static int Away(byte* bucket) => (int)((Tail(bucket) & AwayMask) >> AwayShift);
}
