using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Monolith.Embeddings.Initialization;

namespace Monolith.Embeddings.Index;

/// <summary>
/// The hash of a table's ids, keyed at random for each table, so that nobody outside can choose ids that fall into one
/// bucket. A bijection: no two ids share a hash.
/// </summary>
internal readonly struct IdHash(ulong key, ulong first, ulong second)
{
    private readonly ulong _first = Mixer.Mix(first) | 1;
    private readonly ulong _second = Mixer.Mix(second + Mixer.Golden) | 1;

    /// <summary>A hash with fresh random keys.</summary>
    public static IdHash Random()
    {
        Span<byte> keys = stackalloc byte[24];
        RandomNumberGenerator.Fill(keys);
        return new(BitConverter.ToUInt64(keys), BitConverter.ToUInt64(keys[8..]), BitConverter.ToUInt64(keys[16..]));
    }

    /// <summary>
    /// The hash: the top bits choose the sub-table, the low 32 the first bucket.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(ulong id)
    {
        id = (id ^ key) * _first;
        id = (id ^ (id >> 32)) * _second;
        return id ^ (id >> 29);
    }

    /// <summary>What chooses the second bucket (and, by its low bits, the class in the first one's tail).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Second(ulong hash) => (uint)(((hash ^ (hash >> 31)) * 0xd6e8feb86659fd93UL) >> 32);

    /// <summary>Maps 32 bits onto 0 … buckets − 1 evenly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Reduce(uint bits, uint buckets) => (uint)(((ulong)bits * buckets) >> 32);
}
