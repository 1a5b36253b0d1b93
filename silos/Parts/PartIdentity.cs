using System.Globalization;
using Monolith.Contracts.Sync;

namespace Monolith.Silos.Parts;

/// <summary>Which part of which model: its names in grain keys, folders and Redis.</summary>
public sealed record PartIdentity
{
    private PartIdentity(string model, string folder, string lease, int? syncShard)
    {
        Model = model;
        Folder = folder;
        Lease = lease;
        SyncShard = syncShard;
    }

    /// <summary>The model.</summary>
    public string Model { get; }

    /// <summary>Name of the part's folder, also in logs: <c>shard-0</c>…, <c>dense</c> or <c>metrics</c>.</summary>
    public string Folder { get; }

    /// <summary>The part's name in its lease.</summary>
    public string Lease { get; }

    /// <summary>The shard number under which the part's changes travel to replicas; null: they do not.</summary>
    public int? SyncShard { get; }

    /// <summary>The dense parameters.</summary>
    public static PartIdentity Dense(string model) =>
        new(model, "dense", RedisNames.Dense.ToString(CultureInfo.InvariantCulture), RedisNames.Dense);

    /// <summary>The metrics; nothing of them travels to replicas.</summary>
    public static PartIdentity Metrics(string model) => new(model, "metrics", "metrics", null);

    /// <summary>A shard.</summary>
    public static PartIdentity Shard(string model, int shard) =>
        new(model, $"shard-{shard}", shard.ToString(CultureInfo.InvariantCulture), shard);

    /// <summary>The grain key of a shard.</summary>
    public static string ShardKey(string model, int shard) => $"{model}/{shard}";

    /// <summary>Reads the grain key of a shard.</summary>
    /// <param name="key"><c>model/shard</c>.</param>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static (string Model, int Shard) ParseShardKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.LastIndexOf('/');
        return slash > 0 && int.TryParse(key.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var shard)
            ? (key[..slash], shard)
            : throw new ArgumentException($"'{key}' is no key of a shard; one looks like 'trivago/3'.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Model}/{Folder}";
}
