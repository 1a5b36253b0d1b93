using Monolith.Contracts.Sync;
using StackExchange.Redis;

namespace Monolith.Serving.Replica;

/// <summary>Where a shard is, as its publisher says in Redis.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Sequence">Newest sequence.</param>
/// <param name="Base">Newest snapshot, relative to the snapshot folder; empty when there is none.</param>
/// <param name="BaseSequence">The sequence of the epoch that the base equals.</param>
/// <param name="WatermarkMs">Emission time learned through at the newest sequence, in Unix milliseconds.</param>
/// <param name="Layout">Fingerprint of the layout that the shard has; null: not stated, the base's header decides.</param>
internal readonly record struct ShardHead(
    long Epoch, long Sequence, string Base, long BaseSequence, long WatermarkMs, string? Layout)
{
    private static readonly RedisValue[] Fields =
    [
        RedisNames.EpochField, RedisNames.SequenceField, RedisNames.BaseField, RedisNames.BaseSequenceField, RedisNames.WatermarkField,
        RedisNames.LayoutField,
    ];

    /// <summary>Reads a head; null when the shard has not published yet.</summary>
    public static async Task<ShardHead?> Read(IDatabase redis, string model, int shard)
    {
        var values = await redis.HashGetAsync(RedisNames.Head(model, shard), Fields);
        return values[0].IsNull || values[1].IsNull
            ? null
            : new ShardHead(
                (long)values[0], (long)values[1], (string?)values[2] ?? string.Empty, (long?)values[3] ?? 0, (long?)values[4] ?? 0,
                (string?)values[5]);
    }
}
