using System.Numerics;
using Monolith.Embeddings.Initialization;

namespace Monolith.Embeddings.Index;

/// <content>Samples.</content>
internal sealed unsafe partial class CuckooIndex
{
    /// <summary>Share of ids that lie in their first bucket.</summary>
    public double FirstBucketShare()
    {
        var away = 0L;
        for (var place = 0; place < 1 << _depth; place += 1 << (_depth - _info[place].Depth))
        {
            for (var at = 0u; at < _directory[place].Buckets; at++)
            {
                away += Bucket.Away(BucketAt(_directory + place, at));
            }
        }

        return Count == 0 ? 1 : 1 - ((double)away / Count);
    }

    /// <summary>Draws entries: whole buckets, from random places. There must be at least one entry.</summary>
    /// <param name="into">Entries drawn.</param>
    /// <param name="random">Moves on.</param>
    /// <returns>Entries drawn, at least one.</returns>
    public int Draw(Span<IndexEntry> into, ref ulong random)
    {
        if (Count == 0)
        {
            throw new InvalidOperationException("nothing can be drawn from an empty index");
        }

        var drawn = 0;
        while (drawn == 0 || drawn + Bucket.Entries <= into.Length)
        {
            random += Mixer.Golden;
            var bucket = FirstBucket(Mixer.Mix(random));
            for (var used = Bucket.Used(bucket); used != 0; used &= used - 1)
            {
                var entry = BitOperations.TrailingZeroCount(used);
                into[drawn].Id = Bucket.Id(bucket, entry);
                into[drawn++].Row = Bucket.Row(bucket, entry);
            }

            if (Count < into.Length && drawn > 0)
            {
                break;
            }
        }

        return drawn;
    }
}
