namespace Monolith.Contracts.Grains;

/// <summary>
/// A span of a partition: what a push covers. A part applies it only if <see cref="From"/> is exactly what it has applied
/// through; offsets are "next to read", so a fresh part is at 0.
/// </summary>
/// <param name="Partition">Name of the partition, for example <c>examples/0</c>.</param>
/// <param name="Epoch">The owner's epoch of the partition.</param>
/// <param name="From">Offset it continues from.</param>
/// <param name="Through">Offset it goes through (exclusive end); equal to <paramref name="From"/> when only the watermark moves.</param>
/// <param name="WatermarkMs">Emission time of the newest example in it, in Unix milliseconds.</param>
[GenerateSerializer, Immutable]
public readonly record struct PartitionSpan(
    [property: Id(0)] string Partition,
    [property: Id(1)] long Epoch,
    [property: Id(2)] long From,
    [property: Id(3)] long Through,
    [property: Id(4)] long WatermarkMs)
{
    /// <summary>Whether it covers offsets, not only a watermark.</summary>
    public bool Moves => Through > From;
}

/// <summary>What became of a push.</summary>
public enum PushOutcome
{
    /// <summary>Applied now.</summary>
    Applied,

    /// <summary>It lay behind the part's offset and was ignored.</summary>
    AlreadyApplied,

    /// <summary>It does not continue from the part's offset (the part was restored, or something was left out).</summary>
    Gap,

    /// <summary>Another worker has taken the partition over.</summary>
    Fenced,
}

/// <summary>A part's answer to a push.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="AppliedThrough">The part's applied-through offset of that partition after the call.</param>
[GenerateSerializer, Immutable]
public readonly record struct PushReply([property: Id(0)] PushOutcome Outcome, [property: Id(1)] long AppliedThrough);

/// <summary>
/// A worker takes a partition over. Epochs work as ballots: the worker reads every part's epoch, claims a larger one, and
/// a part grants a claim only if it is above what it has seen, so two workers can never both hold a partition everywhere.
/// </summary>
/// <param name="Partition">Name of the partition.</param>
/// <param name="Epoch">The claimed epoch; 0 only reads.</param>
[GenerateSerializer, Immutable]
public readonly record struct PartitionClaim([property: Id(0)] string Partition, [property: Id(1)] long Epoch);

/// <summary>A part's answer to a claim.</summary>
/// <param name="Granted">Whether the claimed epoch is now the part's.</param>
/// <param name="Epoch">The part's epoch of the partition.</param>
/// <param name="AppliedThrough">The part's applied-through offset.</param>
[GenerateSerializer, Immutable]
public readonly record struct ClaimReply(
    [property: Id(0)] bool Granted,
    [property: Id(1)] long Epoch,
    [property: Id(2)] long AppliedThrough);

/// <summary>Whatever learns from examples: a shard, the dense parameters, the metrics.</summary>
public interface IPart
{
    /// <summary>Claims a partition, or reads where the part stands.</summary>
    ValueTask<ClaimReply> Claim(PartitionClaim claim);

    /// <summary>
    /// How far the part's newest durable snapshot goes in a partition: the log keeps what comes after, or a lost part could
    /// not learn it again. 0 before the first snapshot.
    /// </summary>
    ValueTask<long> SavedThrough(string partition);

    /// <summary>Saves the part with its offsets now, and returns once the snapshot is durable.</summary>
    Task Save();
}
