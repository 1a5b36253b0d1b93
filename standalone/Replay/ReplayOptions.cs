namespace Monolith.Standalone.Replay;

/// <summary>What to replay.</summary>
internal sealed record ReplayOptions
{
    /// <summary>Path of the specification.</summary>
    public required string Model { get; init; }

    /// <summary>Path of the data file.</summary>
    public required string Data { get; init; }

    /// <summary>Where the report goes; null: nowhere.</summary>
    public string? Report { get; init; }

    /// <summary>Where every row's score goes; null: nowhere.</summary>
    public string? Predictions { get; init; }

    /// <summary>Trainer workers, 1 or more.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Takes the place of the specification's seed; null: that one.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Requests that start after so many rows are left out; null: the whole file.</summary>
    public long? Limit { get; init; }

    /// <summary>Where what was learned stays; null: in a temporary folder that is deleted in the end.</summary>
    public string? DataFolder { get; init; }
}
