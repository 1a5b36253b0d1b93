namespace Monolith.Embeddings.Snapshots;

/// <summary>Bounds of a snapshot that is taken while updates go on.</summary>
public sealed record SnapshotOptions
{
    /// <summary>
    /// Memory for rows on their way to the stream, in bytes: the pre-images of rows that change before the snapshot comes to
    /// them. At least 8 MiB. When the stream is so slow that it is used up, an update waits for it.
    /// </summary>
    public long ArenaBytes { get; init; } = 256 << 20;

    /// <summary>How long one update waits for the stream at most; then the snapshot is void, and updates wait no more.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>What a snapshot holds.</summary>
public enum SnapshotKind
{
    /// <summary>All rows.</summary>
    Full,

    /// <summary>Rows changed, and ids deleted, since the snapshot before.</summary>
    Incremental,
}
