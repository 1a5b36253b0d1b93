using Monolith.Contracts.Grains;

namespace Monolith.Trainer.Parts;

/// <summary>
/// Partitions that another worker took over, watched until that worker is gone: where neither the epoch nor any part's offset
/// moved for a while, nobody learns from the partition. Two idle workers may take one from each other; each loss doubles the
/// wait. Used by its worker alone.
/// </summary>
/// <param name="parts">All parts.</param>
/// <param name="wait">How long a partition must not have moved.</param>
/// <param name="time">Clock.</param>
/// <param name="random">Spreads the attempts of rivals.</param>
internal sealed class LostPartitions(ModelParts parts, TimeSpan wait, TimeProvider time, Random random)
{
    private const int DoublingsMax = 5;
    private readonly List<Lost> _lost = [];
    private int _losses;

    /// <summary>Time until one of them is due to be looked at; infinite when there are none.</summary>
    public TimeSpan DueIn => _lost.Count == 0 ? Timeout.InfiniteTimeSpan : _lost.Min(Left);

    /// <summary>Watches a partition from now on.</summary>
    public void Add(OwnedPartition partition)
    {
        var doubled = wait * Math.Pow(2, Math.Min(_losses++, DoublingsMax)) * (1 + (0.5 * random.NextDouble()));
        _lost.Add(new Lost(partition, doubled) { LookedAt = time.GetTimestamp() });
    }

    /// <summary>The worker learns from a partition again: the next loss counts as the first.</summary>
    public void Forgive() => _losses = 0;

    /// <summary>Looks at those that are due.</summary>
    /// <returns>Partitions from which nobody learns, to be claimed; no longer watched.</returns>
    public async Task<List<OwnedPartition>> FindAbandoned()
    {
        var abandoned = new List<OwnedPartition>();
        foreach (var lost in _lost.Where(l => Left(l) == TimeSpan.Zero).ToList())
        {
            var name = lost.Partition.Name;
            var now = await Task.WhenAll(parts.All.Select(p => p.Claim(new PartitionClaim(name, 0)).AsTask()));
            if (lost.Seen is { } seen && seen.SequenceEqual(now))
            {
                abandoned.Add(new OwnedPartition(lost.Partition.Index, name, parts.All.Length));
            }

            (lost.Seen, lost.LookedAt) = (now, time.GetTimestamp());
        }

        // Not before all have answered: a failure leaves every one of them watched.
        _lost.RemoveAll(l => abandoned.Exists(a => a.Index == l.Partition.Index));
        return abandoned;
    }

    private TimeSpan Left(Lost lost)
    {
        var left = lost.Wait - time.GetElapsedTime(lost.LookedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private sealed class Lost(OwnedPartition partition, TimeSpan wait)
    {
        public OwnedPartition Partition { get; } = partition;

        public TimeSpan Wait { get; } = wait;

        public long LookedAt { get; set; }

        public ClaimReply[]? Seen { get; set; }
    }
}
