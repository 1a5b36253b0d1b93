using Monolith.Embeddings.Index;
using Monolith.Embeddings.Initialization;

namespace Monolith.Embeddings.Tests.Index;

/// <summary>Ids made with the stolen keys of a hash: it is a bijection, so who knows it can turn it back.</summary>
internal sealed class Colliding(ulong key, ulong first, ulong second)
{
    private readonly ulong _first = Inverse(Mixer.Mix(first) | 1);
    private readonly ulong _second = Inverse(Mixer.Mix(second + Mixer.Golden) | 1);
    private uint _tried;

    public IdHash Hash { get; } = new(key, first, second);

    /// <summary>The id of a hash.</summary>
    public ulong IdOf(ulong hash)
    {
        var id = Unshift(hash, 29) * _second;
        id = (Unshift(id, 32) * _first) ^ key;
        Assert.Equal(hash, Hash.Of(id));
        return id;
    }

    /// <summary>Another id whose first bucket is that of all the others, in a table of any size.</summary>
    public ulong OfOneBucket(uint i) => IdOf(((ulong)i << 32) | 0x12345678);

    /// <summary>Another id whose two buckets are those of all the others, in a sub-table of any size.</summary>
    public ulong NextOfOnePair()
    {
        ulong hash;
        do
        {
            hash = ((ulong)_tried++ << 32) | 0x12345678;
        }
        while (IdHash.Second(hash) >> 16 != 0x4321);
        return IdOf(hash);
    }

    /// <summary>Another id of the same sub-table, however often that splits, and of any bucket.</summary>
    public ulong OfOneSubTable(uint i) => IdOf((0xabcdef0UL << 36) | (uint)(i * 0x9e3779b1));

    private static ulong Unshift(ulong x, int by)
    {
        var y = x;
        for (var done = by; done < 64; done += by)
        {
            y = x ^ (y >> by);
        }

        return y;
    }

    /// <summary>Modulo 2⁶⁴, by Newton's iteration.</summary>
    private static ulong Inverse(ulong odd)
    {
        var x = odd;
        for (var i = 0; i < 6; i++)
        {
            x *= 2 - (odd * x);
        }

        return x;
    }
}
