namespace Monolith.Ingestion.Joining;

/// <summary>Bounds and names of a joiner.</summary>
public sealed record JoinerOptions
{
    /// <summary>Partitions of the impressions and actions topics, when the joiner creates them.</summary>
    public int InputPartitions { get; init; } = 4;

    /// <summary>Partitions of the examples topic, when the joiner creates it; at least as many as trainer workers.</summary>
    public int ExamplePartitions { get; init; } = 4;

    /// <summary>
    /// Name of this joiner among those of the model; two joiners of one name fence each other off, so that a restarted one
    /// takes over from its dead self at once.
    /// </summary>
    public string Name { get; init; } = "0";

    /// <summary>Impressions, and actions, read for one transaction; each of the joiner's partitions gives an equal share.</summary>
    public int MaxRecords { get; init; } = 16_384;

    /// <summary>A transaction stops closing windows when its output has this many bytes.</summary>
    public int MaxOutputBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Bytes of pending impressions kept in memory; the rest goes to files. An index of about 100 bytes a request is kept in
    /// memory besides. Default: 128 MiB.
    /// </summary>
    public long MemoryBudget { get; init; } = 128 << 20;

    /// <summary>
    /// Where state is kept for a restart: checkpoints, and pending impressions, in a folder of this joiner's own. Null: a restart
    /// takes all input again that is still needed, and what is beyond the memory budget goes to files in the temporary folder
    /// that vanish with the process.
    /// </summary>
    public string? StateFolder { get; init; }

    /// <summary>
    /// About how many records a restart may have to take again. A checkpoint of a partition is taken when it would be more than
    /// the partition's share of this, and more than a quarter of the requests that the partition remembers.
    /// </summary>
    public int CheckpointAfter { get; init; } = 1_000_000;

    /// <summary>Longest wait without looking at the clock and the group.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Pause before starting over after the log failed.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);
}
