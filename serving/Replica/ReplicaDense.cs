using System.Runtime.InteropServices;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;

namespace Monolith.Serving.Replica;

/// <summary>The dense parameters as a replica holds them: one flat vector at one version, replaced as a whole.</summary>
internal sealed record ReplicaDense(ReplicaVersion Version, float[] Values)
{
    /// <summary>Before the first round of an epoch that had no snapshot: the specification's initial values.</summary>
    public static ReplicaDense Initial(ModelSpec spec, DenseLayout layout, long epoch)
    {
        var values = new float[layout.Length];
        layout.Initialize(spec, values);
        return new ReplicaDense(new ReplicaVersion(RedisNames.Dense, epoch, 0, 0), values);
    }

    /// <summary>The same, learned through the time that a head of its version says.</summary>
    public ReplicaDense Advance(ShardHead head) =>
        (Version.Epoch, Version.Sequence) == (head.Epoch, head.Sequence) && head.WatermarkMs > Version.WatermarkMs
            ? this with { Version = Version with { WatermarkMs = head.WatermarkMs } }
            : this;

    /// <summary>What a delta says: all of it.</summary>
    public static ReplicaDense Of(Delta delta) => new(
        new ReplicaVersion(RedisNames.Dense, delta.Epoch, delta.Sequence, delta.WatermarkMs), MemoryMarshal.Cast<byte, float>(delta.Rows(0)).ToArray());

    /// <summary>What a snapshot says.</summary>
    /// <exception cref="InvalidDataException">The snapshot is damaged, or of another model or layout.</exception>
    public static ReplicaDense Load(ReplicaLayout layout, int length, long epoch, long sequence, string path)
    {
        using var file = SnapshotFile.Open(path);
        layout.Require(file.Header, "dense", path);
        var values = new float[length];
        DenseSnapshot.Read(file.Body, values);
        return new ReplicaDense(new ReplicaVersion(RedisNames.Dense, epoch, sequence, file.Header.WatermarkMs), values);
    }
}
