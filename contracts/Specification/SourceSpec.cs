using System.Collections.Immutable;

namespace Monolith.Contracts.Specification;

/// <summary>How a file's rows become requests.</summary>
public sealed record SourceSpec
{
    /// <summary>
    /// Columns that together name the request; consecutive rows with equal values were shown at once. None: each row is a request
    /// of its own.
    /// </summary>
    public ImmutableArray<string> Request { get; init; } = [];

    /// <summary>The column with the event time; null: the rows count, one second apart.</summary>
    public string? Time { get; init; }

    /// <summary>Unit of the time column.</summary>
    public TimeUnit TimeUnit { get; init; } = TimeUnit.Seconds;

    /// <summary>The column with the item's id; null: the row's number.</summary>
    public string? Item { get; init; }

    /// <summary>Spellings that mean the same as an empty field, in every column.</summary>
    public ImmutableArray<string> Missing { get; init; } = [];
}

/// <summary>Unit of a file's time column, counted from 1970 in UTC.</summary>
public enum TimeUnit
{
    /// <summary>Seconds.</summary>
    Seconds,

    /// <summary>Milliseconds.</summary>
    Milliseconds,
}
