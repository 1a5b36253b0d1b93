using System.Text.Json.Serialization;

namespace Monolith.Contracts.Grains;

/// <summary>Where an id stands in its table.</summary>
public enum RowStanding
{
    /// <summary>It has a row.</summary>
    Present,

    /// <summary>It was seen, but not often enough for a row.</summary>
    Refused,

    /// <summary>Its row left when its last update lay the table's expiry behind.</summary>
    Expired,

    /// <summary>Its row left because the table's budget was reached.</summary>
    Evicted,

    /// <summary>Its row was deleted by name.</summary>
    Deleted,

    /// <summary>It was never seen, or so long ago that nothing is remembered.</summary>
    Unknown,
}

/// <summary>What is known of one id. Times are event times, which are learned from; not the clock's.</summary>
/// <param name="Id">The id.</param>
/// <param name="Standing">Where it stands.</param>
/// <param name="LastUpdate">Newest event that it was learned from; null: not known.</param>
/// <param name="Occurrences">How often it was seen: learned from if present (at most 8,191), refused if refused (at most 15).</param>
/// <param name="Values">What it reads as: of its row, or the initial ones.</param>
/// <param name="Departure">How a row of it left, the last time, while that is remembered; also of an id that has come back.</param>
[GenerateSerializer, Immutable]
public sealed record RowReport(
    [property: Id(0), JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)] ulong Id,
    [property: Id(1)] RowStanding Standing,
    [property: Id(2)] DateTimeOffset? LastUpdate,
    [property: Id(3)] int Occurrences,
    [property: Id(4)] float[] Values,
    [property: Id(5)] RowDeparture? Departure);

/// <summary>How a row left.</summary>
/// <param name="Why"><see cref="RowStanding.Expired"/>, <see cref="RowStanding.Evicted"/> or <see cref="RowStanding.Deleted"/>.</param>
/// <param name="At">The table's newest event at that time.</param>
/// <param name="LastUpdate">Newest event that it had been learned from.</param>
/// <param name="Occurrences">Occurrences it had been learned from.</param>
[GenerateSerializer, Immutable]
public sealed record RowDeparture(
    [property: Id(0)] RowStanding Why,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] DateTimeOffset LastUpdate,
    [property: Id(3)] int Occurrences);

/// <summary>What a shard's share of a table is made of.</summary>
/// <param name="Table">The table.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Bytes">Memory by kind: <c>rows</c> (of which <c>values</c> are in use), <c>index</c>, <c>filter</c>, <c>changes</c>.</param>
/// <param name="Load">Share of the index's entries in use, 0 to 1.</param>
/// <param name="FirstBucketShare">Share of ids found at the first probe; the others take a second.</param>
/// <param name="SubTables">Pieces of the index, which grow one by one.</param>
/// <param name="Growths">Pieces that grew so far.</param>
/// <param name="GrowthsWaiting">Pieces that wait for their growth now.</param>
/// <param name="Evicted">Rows evicted so far because the budget was reached.</param>
/// <param name="RowsByAge">Entry i: rows last updated under 4^i minutes before the newest event; the last entry has the rest.</param>
/// <param name="RowsByOccurrences">Entry i: rows with 2^i to 2^(i+1) − 1 occurrences; entry 0 also none.</param>
[GenerateSerializer, Immutable]
public sealed record TableReport(
    [property: Id(0)] string Table,
    [property: Id(1)] long Rows,
    [property: Id(2)] Dictionary<string, long> Bytes,
    [property: Id(3)] double Load,
    [property: Id(4)] double FirstBucketShare,
    [property: Id(5)] int SubTables,
    [property: Id(6)] long Growths,
    [property: Id(7)] int GrowthsWaiting,
    [property: Id(8)] long Evicted,
    [property: Id(9)] long[] RowsByAge,
    [property: Id(10)] long[] RowsByOccurrences);
