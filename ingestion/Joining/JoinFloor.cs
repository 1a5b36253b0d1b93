using System.Runtime.InteropServices;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>
/// The oldest transaction that the state still depends on: everything older has closed, been forgotten and can come from
/// nowhere again. What lies below it need not be kept or replayed.
/// </summary>
/// <remarks>
/// Transactions that began in the same sixteen buckets of event time are remembered together, so that a day of them is about
/// a thousand pieces, not millions; the floor is lower by less than that.
/// </remarks>
internal sealed class JoinFloor(JoinRules rules)
{
    private const int BucketsAPiece = 16;

    /// <summary>Oldest first; those before the first one that is needed have been given up.</summary>
    private List<FloorPiece> _live = [];
    private int _first;

    /// <summary>Records taken since the floor: what a restart without a checkpoint takes again.</summary>
    public long Records { get; private set; }

    /// <summary>Adds a transaction.</summary>
    /// <param name="entry">The transaction.</param>
    /// <param name="journalOffset">Its offset in the joins topic, or a lower bound of it.</param>
    public void Add(in JoinEntry entry, long journalOffset)
    {
        Records += entry.Records;
        var began = entry.WatermarkBeforeMs / (BucketsAPiece * rules.BucketMs);
        if (_live.Count > _first && _live[^1].Began == began)
        {
            ref var newest = ref CollectionsMarshal.AsSpan(_live)[^1];
            newest.RetainedThroughMs = Math.Max(newest.RetainedThroughMs, RetainedThrough(entry));
            newest.Records += entry.Records;
            return;
        }

        _live.Add(new FloorPiece
        {
            Sequence = entry.Sequence,
            ImpressionsFrom = entry.ImpressionsFrom,
            ActionsFrom = entry.ActionsFrom,
            JournalOffset = journalOffset,
            Began = began,
            RetainedThroughMs = RetainedThrough(entry),
            Records = entry.Records,
        });
    }

    /// <summary>The oldest transaction still needed at a watermark; null: none.</summary>
    public FloorPiece? At(long watermarkMs)
    {
        for (; _first < _live.Count && _live[_first].RetainedThroughMs <= watermarkMs; _first++)
        {
            Records -= _live[_first].Records;
        }

        if (_first > _live.Count / 2)
        {
            _live.RemoveRange(0, _first);
            _first = 0;
        }

        return _live.Count > _first ? _live[_first] : null;
    }

    public void Save(CheckpointWriter to)
    {
        to.Values<FloorPiece>(CollectionsMarshal.AsSpan(_live)[_first..]);
        to.Value(Records);
    }

    public void Load(CheckpointReader from) => (_live, Records) = (from.List<FloorPiece>(), from.Value<long>());

    // A window closes, and what was closed is forgotten, at a bucket's end.
    private long RetainedThrough(in JoinEntry entry)
        => entry.NewestMs == 0 ? 0 : entry.NewestMs + rules.WindowMs + rules.KeepMs + rules.BucketMs;
}

/// <summary>Transactions that followed each other.</summary>
internal struct FloorPiece
{
    /// <summary>The first one's number.</summary>
    public long Sequence;

    /// <summary>Impressions it took, from this offset.</summary>
    public long ImpressionsFrom;

    /// <summary>Actions it took, from this offset.</summary>
    public long ActionsFrom;

    /// <summary>Its offset in the joins topic, or a lower bound of it.</summary>
    public long JournalOffset;

    /// <summary>When it began in event time, in units of a piece.</summary>
    public long Began;

    /// <summary>The watermark at which nothing of them is needed any more.</summary>
    public long RetainedThroughMs;

    /// <summary>Records they took.</summary>
    public long Records;
}
