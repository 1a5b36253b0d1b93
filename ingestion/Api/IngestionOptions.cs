namespace Monolith.Ingestion.Api;

/// <summary>Bounds of the ingest API.</summary>
public sealed record IngestionOptions
{
    /// <summary>Bytes a request's body may have. Default: 8 MiB.</summary>
    public int MaxBodyBytes { get; init; } = 8 << 20;

    /// <summary>Events a request may carry. Default: 10,000.</summary>
    public int MaxBatch { get; init; } = 10_000;

    /// <summary>Bytes of bodies that may wait for the log at once; beyond it requests are answered 429. Default: 64 MiB.</summary>
    public long MaxWaitingBytes { get; init; } = 64L << 20;

    /// <summary>How long the log may take before a request is answered 503. Default: 10 s.</summary>
    public TimeSpan AppendTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What clients are told to wait after 429 or 503. Default: 1 s.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Events remembered, so that those sent again are not appended again; about 40 bytes each. Default: 262,144.
    /// </summary>
    public int RememberedEvents { get; init; } = 1 << 18;

    /// <summary>Partitions of the impressions and actions topics, when they have to be created.</summary>
    public int InputPartitions { get; init; } = 4;

    /// <summary>Partitions of the examples topic, when it has to be created.</summary>
    public int ExamplePartitions { get; init; } = 4;
}
