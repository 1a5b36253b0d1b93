using System.Collections.Immutable;

namespace Monolith.Contracts.Specification;

/// <summary>An embedding table: one row an id, the row a concatenation of segments.</summary>
public sealed record TableSpec
{
    /// <summary>The table's name.</summary>
    public required string Name { get; init; }

    /// <summary>The row's segments, in order. For DeepFM: a one-wide weight, then the vector.</summary>
    public required ImmutableArray<SegmentSpec> Segments { get; init; }

    /// <summary>How often an id must occur before it gets a row.</summary>
    public AdmissionSpec Admission { get; init; } = new AdmitAll();

    /// <summary>What an id without a row reads as.</summary>
    public UnseenValue Unseen { get; init; }

    /// <summary>How values are kept in memory while they are learned.</summary>
    public RowPrecision Precision { get; init; }

    /// <summary>How large the table may become; null: as memory allows.</summary>
    public BudgetSpec? Budget { get; init; }

    /// <summary>How long a row lives after its last update, in event time; null: for ever.</summary>
    public TimeSpan? Expiry { get; init; }

    /// <summary>Width of a row's values: the sum of its segments' dimensions.</summary>
    public int Dimension
    {
        get
        {
            var sum = 0;
            foreach (var segment in Segments)
            {
                sum += segment.Dimension;
            }

            return sum;
        }
    }
}

/// <summary>A slice of a row with its own optimizer and initializer.</summary>
public sealed record SegmentSpec
{
    /// <summary>Number of values, 1 to 1,024.</summary>
    public required int Dimension { get; init; }

    /// <summary>What the values start from.</summary>
    public InitializerSpec Initializer { get; init; } = new ZerosInitializer();

    /// <summary>What learns them.</summary>
    public required SparseOptimizerSpec Optimizer { get; init; }

    /// <summary>How the values travel to replicas and are kept there.</summary>
    public RowPrecision ServingPrecision { get; init; }
}

/// <summary>What values start from: a pure function of (seed, id, position).</summary>
public abstract record InitializerSpec;

/// <summary>All zero.</summary>
public sealed record ZerosInitializer : InitializerSpec;

/// <summary>All the same.</summary>
/// <param name="Value">The value.</param>
public sealed record ConstantInitializer(float Value) : InitializerSpec;

/// <summary>Uniform in [Low, High).</summary>
/// <param name="Low">Inclusive lower bound.</param>
/// <param name="High">Exclusive upper bound.</param>
public sealed record UniformInitializer(float Low, float High) : InitializerSpec;

/// <summary>Normal, cut off two deviations from the mean.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Deviation">The deviation before the cut; above 0.</param>
public sealed record TruncatedNormalInitializer(float Mean, float Deviation) : InitializerSpec;

/// <summary>What an id without a row (never seen, refused so far, or expired) reads as.</summary>
public enum UnseenValue
{
    /// <summary>The value its row would start from.</summary>
    InitialValue,

    /// <summary>Zeros.</summary>
    Zeros,
}

/// <summary>How a value is kept.</summary>
public enum RowPrecision
{
    /// <summary>32 bits, as it is computed.</summary>
    Float32,

    /// <summary>16 bits, IEEE half: 11 significant bits, up to 65,504.</summary>
    Float16,

    /// <summary>16 bits, bfloat16: 8 significant bits, the range of 32-bit floats.</summary>
    BFloat16,
}

/// <summary>An upper bound of a table's size, and what leaves first when it is reached. A bound alone is given, or both.</summary>
public sealed record BudgetSpec
{
    /// <summary>Rows, at most, in each shard; null: not bounded by number.</summary>
    public long? MaxRows { get; init; }

    /// <summary>Bytes of rows and index, at most, in each shard; null: not bounded by memory.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>What leaves first.</summary>
    public EvictionOrder Evict { get; init; }
}

/// <summary>What leaves first. Candidates are drawn at random, as a full order would cost more than it brings.</summary>
public enum EvictionOrder
{
    /// <summary>The row updated longest ago, by event time.</summary>
    LeastRecentlyUsed,

    /// <summary>The row with the fewest occurrences.</summary>
    LeastFrequentlyUsed,

    /// <summary>The row nearest to zero.</summary>
    SmallestNorm,
}

/// <summary>When an id gets a row.</summary>
public abstract record AdmissionSpec;

/// <summary>At its first update.</summary>
public sealed record AdmitAll : AdmissionSpec;

/// <summary>Once it has been seen more than this often.</summary>
/// <param name="Threshold">Occurrences that are not enough; 1 to 15.</param>
public sealed record AdmitAfter(int Threshold) : AdmissionSpec
{
    /// <summary>Ids whose counts are kept at a time, about; the counts of others fade. 4 to 8 bytes of memory for each.</summary>
    public int Remembered { get; init; } = 1 << 18;
}

/// <summary>With probability occurrences/threshold at each push.</summary>
/// <param name="Threshold">Occurrences in one push that are always enough; at least 1.</param>
public sealed record AdmitByShare(int Threshold) : AdmissionSpec;

/// <summary>
/// With the same probability at each occurrence, such that 95 of 100 ids are admitted by the threshold's: p = 1 − 0.05^(1/threshold).
/// </summary>
/// <param name="Threshold">Occurrences by which 95 of 100 ids are admitted; at least 1.</param>
public sealed record AdmitByChance(int Threshold) : AdmissionSpec;
