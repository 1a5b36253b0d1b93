using System.Collections.Immutable;

namespace Monolith.Contracts.Specification;

/// <summary>Everything there is to say about a model. Immutable, validated before anything else sees it.</summary>
public sealed record ModelSpec
{
    /// <summary>The model's name: lower-case letters, digits and dashes; part of grain keys, Redis keys and file names.</summary>
    public required string Name { get; init; }

    /// <summary>Seeds initial values, sampling and shuffling.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The feature by which examples are spread over partitions; usually the user.</summary>
    public required string PartitionBy { get; init; }

    /// <summary>Number of embedding shards; a power of two, fixed when the model is created.</summary>
    public int Shards { get; init; } = 8;

    /// <summary>Features in order; a feature's index here is its slot.</summary>
    public required ImmutableArray<FeatureSpec> Features { get; init; }

    /// <summary>Embedding tables in order; a table's index here identifies it in messages.</summary>
    public required ImmutableArray<TableSpec> Tables { get; init; }

    /// <summary>The network over the features.</summary>
    public required NetworkSpec Network { get; init; }

    /// <summary>What is predicted; the first task is the headline.</summary>
    public required ImmutableArray<TaskSpec> Tasks { get; init; }

    /// <summary>Micro-batching of the trainer.</summary>
    public TrainingSpec Training { get; init; } = new();

    /// <summary>How dense parameters are averaged.</summary>
    public FederatedSpec Federated { get; init; } = new();

    /// <summary>How changes travel to replicas, and how often parts are saved.</summary>
    public SyncSpec Sync { get; init; } = new();

    /// <summary>How impressions and actions become examples.</summary>
    public JoinSpec Join { get; init; } = new();

    /// <summary>Limits of a scoring request.</summary>
    public ServingSpec Serving { get; init; } = new();

    /// <summary>How files are read; absent when the model is only fed by events.</summary>
    public SourceSpec? Source { get; init; }
}

/// <summary>Micro-batching.</summary>
public sealed record TrainingSpec
{
    /// <summary>Examples a micro-batch aims at; requests are never split, so it may be exceeded by one request.</summary>
    public int MicroBatch { get; init; } = 64;

    /// <summary>A partial micro-batch goes after this long.</summary>
    public TimeSpan PartialAfter { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Feature whose click rate by value is the printed baseline; null: the base rate alone.</summary>
    public string? Baseline { get; init; }
}

/// <summary>Synchronization and snapshots.</summary>
public sealed record SyncSpec
{
    /// <summary>Changed rows are flushed to replicas this often.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A delta lives this long in Redis; longer than a snapshot interval.</summary>
    public TimeSpan DeltaTimeToLive { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A part is saved this often when it has changed.</summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>Joining impressions and actions.</summary>
public sealed record JoinSpec
{
    /// <summary>Attribution window: an item without a positive action this long after its impression is a negative.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Kinds of action with an attribution window of their own. A task closes at the longest of its kinds'.</summary>
    public ImmutableArray<KindWindow> Windows { get; init; } = [];

    /// <summary>The attribution window of a kind of action.</summary>
    public TimeSpan WindowOf(string kind)
    {
        foreach (var window in Windows)
        {
            if (window.Kind == kind)
            {
                return window.Window;
            }
        }

        return Window;
    }

    /// <summary>Event times further ahead of the log's clock than this are refused.</summary>
    public TimeSpan AllowedSkew { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>The attribution window of one kind of action.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Window">How long after the impression it counts.</param>
public sealed record KindWindow(string Kind, TimeSpan Window);

/// <summary>Limits of scoring.</summary>
public sealed record ServingSpec
{
    /// <summary>Candidates a request may have.</summary>
    public int MaxCandidates { get; init; } = 1000;
}
