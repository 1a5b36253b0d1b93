namespace Monolith.Embeddings;

/// <summary>Why an id has no row (any more).</summary>
public enum Leaving
{
    /// <summary>Its last update lay the table's expiry behind.</summary>
    Expired,

    /// <summary>The table's budget was reached.</summary>
    Evicted,

    /// <summary>It was deleted by name.</summary>
    Deleted,
}

/// <summary>An id that left.</summary>
/// <param name="Id">The id.</param>
/// <param name="Why">Why it left.</param>
/// <param name="EventSeconds">Newest event time of the table when it left.</param>
/// <param name="LastSeconds">Event time of its last update.</param>
/// <param name="Occurrences">Occurrences it had learned from.</param>
public readonly record struct Departure(ulong Id, Leaving Why, uint EventSeconds, uint LastSeconds, int Occurrences);
