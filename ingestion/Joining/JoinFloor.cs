namespace Monolith.Ingestion.Joining;

/// <summary>
/// The oldest transaction that the state still depends on: everything older has closed, been forgotten and can come from
/// nowhere again. What lies below it need not be kept or replayed.
/// </summary>
internal sealed class JoinFloor(JoinRules rules)
{
    private readonly Queue<(JoinEntry Entry, long JournalOffset)> _live = [];

    /// <summary>Adds a transaction.</summary>
    /// <param name="entry">The transaction.</param>
    /// <param name="journalOffset">Its offset in the joins topic, or a lower bound of it.</param>
    public void Add(in JoinEntry entry, long journalOffset) => _live.Enqueue((entry, journalOffset));

    /// <summary>The oldest transaction still needed at a watermark; null: none.</summary>
    public (JoinEntry Entry, long JournalOffset)? At(long watermarkMs)
    {
        while (_live.TryPeek(out var oldest) && RetainedThrough(oldest.Entry) <= watermarkMs)
        {
            _live.Dequeue();
        }

        return _live.TryPeek(out var needed) ? needed : null;
    }

    private long RetainedThrough(in JoinEntry entry)
        => entry.NewestMs == 0 ? 0 : entry.NewestMs + rules.WindowMs + Math.Max(rules.KeepMs, rules.WaitMs) + (2 * rules.BucketMs);
}
