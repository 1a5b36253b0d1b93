using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using StackExchange.Redis;

namespace Monolith.Serving.Replica;

/// <summary>Fetches what a replica lacks: deltas from Redis, bases from the snapshot folder.</summary>
internal sealed class ReplicaSource(ModelSpec spec, DenseLayout layout, ReplicaOptions options, IConnectionMultiplexer redis)
{
    private readonly int[] _dimensions = [.. spec.WithCanary().Select(t => t.Dimension)];

    /// <summary>Applies the deltas up to a sequence.</summary>
    /// <returns>False when one of them is gone or damaged: the shard must be loaded anew.</returns>
    public async Task<bool> CatchUp(ReplicaShard shard, long sequence)
    {
        while (shard.Sequence < sequence)
        {
            var count = (int)Math.Min(sequence - shard.Sequence, options.FetchBatch);
            var keys = Enumerable.Range(1, count)
                .Select(i => (RedisKey)RedisNames.Delta(spec.Name, shard.Shard, shard.Epoch, shard.Sequence + i)).ToArray();
            foreach (var value in await redis.GetDatabase().StringGetAsync(keys))
            {
                using var delta = Parse(value, _dimensions);
                if (delta is null)
                {
                    return false;
                }

                shard.Apply(delta);
            }
        }

        return true;
    }

    /// <summary>Loads a shard from its base and brings it up to its head.</summary>
    /// <returns>Null when a newer snapshot took the base's place meanwhile: look at the head again.</returns>
    public async Task<ReplicaShard?> Load(int shard, ShardHead head)
    {
        ReplicaShard loaded;
        try
        {
            loaded = head.Base.Length == 0
                ? ReplicaShard.Empty(spec, shard, head.Epoch)
                : ReplicaShard.Load(spec, shard, head.Epoch, head.BaseSequence, PathOf(head));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            var now = await ShardHead.Read(redis.GetDatabase(), spec.Name, shard);
            return now is { } newer && newer.Base != head.Base ? null : throw new InvalidDataException(
                $"the base {head.Base} of shard {shard} is not in {options.SnapshotFolder}: replica and silos must see one folder", e);
        }

        try
        {
            if (await CatchUp(loaded, head.Sequence))
            {
                return loaded;
            }
        }
        catch
        {
            loaded.Dispose();
            throw;
        }

        loaded.Dispose();
        return null;
    }

    /// <summary>The dense parameters at their head: the newest delta says all; without it, the base.</summary>
    public async Task<ReplicaDense> Dense(ShardHead head)
    {
        if (head.Sequence > head.BaseSequence)
        {
            var value = await redis.GetDatabase().StringGetAsync(
                RedisNames.Delta(spec.Name, RedisNames.Dense, head.Epoch, head.Sequence));
            using var delta = Parse(value, [layout.Length]);
            if (delta is not null)
            {
                return ReplicaDense.Of(delta);
            }
        }

        return head.Base.Length == 0
            ? ReplicaDense.Initial(spec, layout, head.Epoch)
            : ReplicaDense.Load(spec, layout, head.Epoch, head.BaseSequence, PathOf(head));
    }

    private string PathOf(ShardHead head) => Path.Combine(options.SnapshotFolder, head.Base);

    // A delta that is damaged is as good as gone: the base takes its place.
    private Delta? Parse(RedisValue value, int[] dimensions)
    {
        if (value.IsNull)
        {
            return null;
        }

        try
        {
            return Delta.Parse(((ReadOnlyMemory<byte>)value).Span, spec.Name, dimensions);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
