namespace Monolith.Serving.Replica;

/// <summary>Where a replica finds parameters.</summary>
public sealed record ReplicaOptions
{
    /// <summary>The folder in which silos keep snapshots, as the replica sees it.</summary>
    public required string SnapshotFolder { get; init; }

    /// <summary>Heads are looked at this often even when nothing is announced, so that a lost announcement heals.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Deltas asked for at once when catching up.</summary>
    public int FetchBatch { get; init; } = 64;
}
