namespace Monolith.Ingestion.Joining;

/// <summary>How a joiner does, for consoles and health checks.</summary>
/// <param name="Running">Whether it reads and commits.</param>
/// <param name="Partitions">Partitions it owns.</param>
/// <param name="Counts">What became of events since it started.</param>
/// <param name="PendingItems">Shown items whose attribution window is open.</param>
/// <param name="WaitingActions">Actions that wait for their impression.</param>
/// <param name="WatermarkMs">Event time windows have closed through, the least of its partitions; 0 before the first event.</param>
/// <param name="Lag">Records of its partitions that it has yet to read; −1 when unknown.</param>
/// <param name="LastError">Why it last started over; null: it never did.</param>
public sealed record JoinerStatus(
    bool Running,
    int Partitions,
    JoinCounts Counts,
    long PendingItems,
    long WaitingActions,
    long WatermarkMs,
    long Lag,
    string? LastError)
{
    /// <summary>Impressions and actions read since it started.</summary>
    public long EventsIn => Counts.Impressions + Counts.Actions + Counts.Canaries;

    /// <summary>Examples emitted since it started.</summary>
    public long Examples => Counts.Examples;
}
