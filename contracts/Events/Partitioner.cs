using System.Buffers.Binary;

namespace Monolith.Contracts.Events;

/// <summary>
/// Which partition a key belongs to: murmur2 as in Kafka's Java client. librdkafka's and kcat's default differs (CRC32);
/// with them set <c>partitioner=murmur2_random</c>, or a request's impressions and actions never meet.
/// </summary>
public static class Partitioner
{
    /// <summary>The partition of a key.</summary>
    /// <param name="key">Any bytes.</param>
    /// <param name="partitions">1 or more.</param>
    public static int Of(ReadOnlySpan<byte> key, int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        return (Murmur2(key) & 0x7fffffff) % partitions;
    }

    /// <summary>The partition of a text key, as UTF-8.</summary>
    public static int Of(string key, int partitions)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<byte> small = stackalloc byte[256];
        var utf8 = System.Text.Encoding.UTF8.TryGetBytes(key, small, out var written)
            ? small[..written]
            : System.Text.Encoding.UTF8.GetBytes(key);
        return Of(utf8, partitions);
    }

    /// <summary>MurmurHash2, 32 bits, with the seed of Kafka's Java client (<c>Utils.murmur2</c>).</summary>
    public static int Murmur2(ReadOnlySpan<byte> data)
    {
        const uint M = 0x5bd1e995;
        var hash = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * M;
            k ^= k >> 24;
            hash = (hash * M) ^ (k * M);
            data = data[4..];
        }

        for (var i = data.Length - 1; i >= 0; i--)
        {
            hash ^= (uint)data[i] << (8 * i);
            if (i == 0)
            {
                hash *= M;
            }
        }

        hash ^= hash >> 13;
        hash *= M;
        hash ^= hash >> 15;
        return (int)hash;
    }
}
