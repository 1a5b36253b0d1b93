namespace Monolith.Embeddings;

/// <summary>What a table is made of at a moment.</summary>
public sealed record TableStatistics
{
    /// <summary>Rows.</summary>
    public required long Rows { get; init; }

    /// <summary>Bytes of values and optimizer state in use.</summary>
    public required long ValueBytes { get; init; }

    /// <summary>Bytes of slabs of rows.</summary>
    public required long RowBytes { get; init; }

    /// <summary>Bytes of the index.</summary>
    public required long IndexBytes { get; init; }

    /// <summary>Bytes of the admission filter.</summary>
    public required long FilterBytes { get; init; }

    /// <summary>Bytes of lists of changed and deleted ids.</summary>
    public required long ChangeBytes { get; init; }

    /// <summary>Bytes a row beyond its values and state.</summary>
    public double OverheadPerRow => Rows == 0 ? 0 : (double)(RowBytes + IndexBytes + FilterBytes + ChangeBytes - ValueBytes) / Rows;

    /// <summary>Share of the index's entries in use.</summary>
    public required double Load { get; init; }

    /// <summary>Mean load of sub-tables when they grew, and the least; 0 before any grew.</summary>
    public required (double Mean, double Least) LoadBeforeGrowth { get; init; }

    /// <summary>Sub-tables of the index.</summary>
    public required int SubTables { get; init; }

    /// <summary>Sub-tables that grew so far.</summary>
    public required long Growths { get; init; }

    /// <summary>Sub-tables that wait for their growth now.</summary>
    public required int GrowthsWaiting { get; init; }

    /// <summary>Share of ids found in their first bucket: the others take two lines of the index.</summary>
    public required double FirstBucketShare { get; init; }

    /// <summary>Rows evicted so far because the budget was reached.</summary>
    public required long Evicted { get; init; }

    /// <summary>Rows by age: entry i counts rows whose last update lies under 4^i minutes behind the newest event; the last one the rest.</summary>
    public required IReadOnlyList<long> RowsByAge { get; init; }

    /// <summary>Rows by occurrences: entry i counts rows with 2^i to 2^(i+1) − 1; entry 0 also none.</summary>
    public required IReadOnlyList<long> RowsByOccurrences { get; init; }
}

/// <summary>Where an id stands.</summary>
public enum IdStanding
{
    /// <summary>It has a row.</summary>
    Present,

    /// <summary>It was seen, but not often enough for a row.</summary>
    Refused,

    /// <summary>It had a row until it left, as <see cref="IdReport.Departure"/> says.</summary>
    Gone,

    /// <summary>It was never seen, or so long ago that nothing is remembered.</summary>
    Unknown,
}

/// <summary>What is known of one id.</summary>
/// <param name="Id">The id.</param>
/// <param name="Standing">Where it stands.</param>
/// <param name="Values">What it reads as.</param>
/// <param name="LastSeconds">Event time of its last update, Unix seconds; null: not known.</param>
/// <param name="Occurrences">How often it was seen: learned from if present (at most 8,191), refused if refused (at most 15).</param>
/// <param name="Departure">How it left, the last time, while that is remembered.</param>
public sealed record IdReport(
    ulong Id, IdStanding Standing, IReadOnlyList<float> Values, uint? LastSeconds, int Occurrences, Departure? Departure);
