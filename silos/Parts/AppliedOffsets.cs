using Monolith.Contracts.Grains;
using Monolith.Contracts.Sync;

namespace Monolith.Silos.Parts;

/// <summary>
/// How far a part has applied each partition: the chain that makes every example count exactly once. It is part of the
/// part's state and saved in the same snapshot. Not thread-safe.
/// </summary>
/// <remarks>
/// The chain alone gives exactly once: a span is applied only if it starts where the part stands, so whoever sends it, in
/// whatever order, each offset is passed once. Epochs only make sure that two workers do not hinder each other for long: the
/// one with the smaller epoch is told to stop. A part restored from a snapshot may have forgotten a claim; a span with an
/// epoch above what the part has seen was granted by every part before, so it renews the claim.
/// </remarks>
public sealed class AppliedOffsets
{
    /// <summary>
    /// Partitions a part remembers; a claim of one more is misuse (a topic has at most a few hundred, each replayed file one).
    /// </summary>
    public const int PartitionsMax = 16_384;

    // A runtime switch that a test sets in a copy of the process, to prove that it notices when examples count twice.
    private static readonly bool Forgets =
        AppContext.TryGetSwitch("Monolith.Silos.ForgetAppliedOffsets", out var forgets) && forgets;

    private readonly Dictionary<string, PartitionOffsets> _partitions = new(StringComparer.Ordinal);
    private string _stream = "";

    /// <summary>
    /// Emission time, in Unix milliseconds, that every partition of the current stream has learned through; 0 while one of
    /// them has learned nothing. The current stream is the one pushed or claimed last: a file that was replayed once does not
    /// hold back the events that follow.
    /// </summary>
    public long WatermarkMs
    {
        get
        {
            var watermark = long.MaxValue;
            foreach (var (name, partition) in _partitions)
            {
                if (StreamOf(name).SequenceEqual(_stream))
                {
                    watermark = Math.Min(watermark, partition.WatermarkMs);
                }
            }

            return watermark == long.MaxValue ? 0 : watermark;
        }
    }

    /// <summary>Every partition known, by name: what a snapshot saves.</summary>
    public IReadOnlyList<PartitionOffsets> All => [.. _partitions.Values.OrderBy(p => p.Partition, StringComparer.Ordinal)];

    /// <summary>The current stream: what a snapshot saves beside <see cref="All"/>.</summary>
    public string Stream => _stream;

    /// <summary>Continues from what a snapshot saved.</summary>
    /// <param name="partitions">Its <see cref="All"/>.</param>
    /// <param name="stream">Its <see cref="Stream"/>.</param>
    /// <exception cref="InvalidDataException">They cannot be right.</exception>
    public static AppliedOffsets Restore(IEnumerable<PartitionOffsets> partitions, string stream)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        var offsets = new AppliedOffsets { _stream = stream };
        if (Forgets)
        {
            return offsets;
        }

        foreach (var partition in partitions)
        {
            if (partition.AppliedThrough < 0 || partition.Epoch < 0 || !offsets._partitions.TryAdd(partition.Partition, partition))
            {
                throw new InvalidDataException(
                    $"Partition '{partition.Partition}' is saved twice or with a negative epoch or offset.");
            }
        }

        return offsets;
    }

    /// <summary>Grants a claim above every epoch seen, or says where the part stands.</summary>
    public ClaimReply Claim(PartitionClaim claim)
    {
        ArgumentException.ThrowIfNullOrEmpty(claim.Partition);
        ArgumentOutOfRangeException.ThrowIfNegative(claim.Epoch);
        var now = Of(claim.Partition);
        var granted = claim.Epoch > now.Epoch;
        if (granted)
        {
            now = now with { Epoch = claim.Epoch };
            Set(now);
        }

        return new ClaimReply(granted, now.Epoch, now.AppliedThrough);
    }

    /// <summary>What would become of a span. Changes nothing.</summary>
    /// <exception cref="ArgumentException">The span is impossible.</exception>
    public PushOutcome Check(in PartitionSpan span)
    {
        Validate(span);
        var now = Of(span.Partition);
        return span.Epoch < now.Epoch ? PushOutcome.Fenced
            : span.From == now.AppliedThrough ? PushOutcome.Applied
            : span.Through <= now.AppliedThrough ? PushOutcome.AlreadyApplied
            : PushOutcome.Gap;
    }

    /// <summary>
    /// Moves the part through a span if the span continues from where the part stands. The caller applies what the span
    /// carries if, and only if, the outcome is <see cref="PushOutcome.Applied"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The span is impossible.</exception>
    public PushReply TryApply(in PartitionSpan span)
    {
        var outcome = Check(span);
        var now = Of(span.Partition);
        if (outcome == PushOutcome.Applied)
        {
            now = new PartitionOffsets(span.Partition, span.Epoch, span.Through, Math.Max(now.WatermarkMs, span.WatermarkMs));
            Set(now);
        }

        return new PushReply(outcome, now.AppliedThrough);
    }

    /// <summary>Where the part stands in a partition; a partition never seen is at offset 0 of epoch 0.</summary>
    public PartitionOffsets Of(string partition) =>
        _partitions.TryGetValue(partition, out var found) ? found : new PartitionOffsets(partition, 0, 0, 0);

    // "examples/0" belongs to stream "examples".
    private static ReadOnlySpan<char> StreamOf(string partition)
    {
        var slash = partition.LastIndexOf('/');
        return slash < 0 ? partition : partition.AsSpan(0, slash);
    }

    private static void Validate(in PartitionSpan span)
    {
        if (string.IsNullOrEmpty(span.Partition) || span.Epoch < 0 || span.From < 0 || span.Through < span.From)
        {
            ThrowImpossible(span);
        }
    }

    private static void ThrowImpossible(in PartitionSpan span) => throw new ArgumentException(
        $"Span {span.From}..{span.Through} of partition '{span.Partition}', epoch {span.Epoch}, is impossible: a span names its "
        + "partition, its epoch is 0 or more and it goes from an offset of 0 or more to the same or a larger one.");

    private void Set(in PartitionOffsets partition)
    {
        if (_partitions.Count >= PartitionsMax && !_partitions.ContainsKey(partition.Partition))
        {
            throw new InvalidOperationException(
                $"Partition '{partition.Partition}' would be one more than the {PartitionsMax} a part can remember.");
        }

        _partitions[partition.Partition] = partition;
        if (!StreamOf(partition.Partition).SequenceEqual(_stream))
        {
            _stream = StreamOf(partition.Partition).ToString();
        }
    }
}
