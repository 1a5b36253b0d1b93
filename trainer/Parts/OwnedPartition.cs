using Monolith.Contracts.Grains;

namespace Monolith.Trainer.Parts;

/// <summary>A partition of the source that a worker owns, and where every part stands in it. Used by its worker alone.</summary>
/// <param name="index">Number of the partition in the source.</param>
/// <param name="name">Its name in the parts' offsets.</param>
/// <param name="parts">Number of parts.</param>
internal sealed class OwnedPartition(int index, string name, int parts)
{
    private int _outstanding;

    /// <summary>Number of the partition in the source.</summary>
    public int Index { get; } = index;

    /// <summary>Its name in the parts' offsets.</summary>
    public string Name { get; } = name;

    /// <summary>The epoch under which every part has granted it to us; 0 before the first claim.</summary>
    public long Epoch { get; private set; }

    /// <summary>The largest epoch we have asked any part for; a larger one elsewhere is somebody else's.</summary>
    public long HighestClaim { get; set; }

    /// <summary>What each part has acknowledged, in the order of <see cref="ModelParts.All"/>.</summary>
    public long[] Applied { get; } = new long[parts];

    /// <summary>Micro-batches since each part was last pushed to.</summary>
    public int[] Untouched { get; } = new int[parts];

    /// <summary>How far local dense steps have come; ahead of the federation's offset by the steps of the open round.</summary>
    public long DenseThrough { get; set; }

    /// <summary>Emission time of the newest example in local dense steps, or of idleness, in Unix milliseconds.</summary>
    public long DenseWatermarkMs { get; set; }

    /// <summary>Where the next micro-batch starts: what the newest one goes through.</summary>
    public long Position { get; set; }

    /// <summary>Emission time of the newest example taken, or of idleness, in Unix milliseconds.</summary>
    public long WatermarkMs { get; set; }

    /// <summary>When idleness was last reported to the parts (timestamp of the time provider).</summary>
    public long LastHeartbeat { get; set; }

    /// <summary>Whether a micro-batch was taken that not every part has acknowledged yet.</summary>
    public bool HasOutstanding => Volatile.Read(ref _outstanding) > 0;

    /// <summary>A micro-batch was taken.</summary>
    public void Took() => Interlocked.Increment(ref _outstanding);

    /// <summary>A micro-batch was acknowledged by every part; while the next one is being taken.</summary>
    public void Delivered() => Interlocked.Decrement(ref _outstanding);

    /// <summary>Starts from where the parts stand: nothing is under way.</summary>
    /// <param name="epoch">The epoch they granted.</param>
    /// <param name="applied">Their offsets.</param>
    public void Begin(long epoch, IEnumerable<long> applied)
    {
        Epoch = epoch;
        foreach (var (part, offset) in applied.Index())
        {
            Applied[part] = offset;
        }

        Array.Clear(Untouched);
        Position = Applied.Min();
        DenseThrough = Applied[^1];
        (WatermarkMs, DenseWatermarkMs, _outstanding) = (0, 0, 0);
    }

    /// <summary>The smallest part offset beyond a position, where a micro-batch has to be cut; the largest long if none is.</summary>
    public long CutAfter(long position)
    {
        var cut = DenseThrough > position ? DenseThrough : long.MaxValue;
        // The federation's own offset lags its open round on purpose; local steps stand for it.
        foreach (var applied in Applied.AsSpan(0, Applied.Length - 1))
        {
            if (applied > position && applied < cut)
            {
                cut = applied;
            }
        }

        return cut;
    }

    /// <summary>What a push to a part covers: from where that part stands.</summary>
    public PartitionSpan Span(int part, long through, long watermarkMs) => new(Name, Epoch, Applied[part], through, watermarkMs);

    /// <summary>Takes a part's answer to a push that went through an offset.</summary>
    /// <exception cref="PartLostException">The part is elsewhere.</exception>
    public void Acknowledge(int part, in PushReply reply, long through)
    {
        if (reply.Outcome is PushOutcome.Gap or PushOutcome.Fenced || reply.AppliedThrough != through)
        {
            throw new PartLostException(
                $"part {part} answered {reply.Outcome} at offset {reply.AppliedThrough} of {Name} to a push from {Applied[part]} through {through}");
        }

        Applied[part] = through;
        Untouched[part] = 0;
    }
}
