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

/// <summary>When an id gets a row.</summary>
public abstract record AdmissionSpec;

/// <summary>At its first update.</summary>
public sealed record AdmitAll : AdmissionSpec;

/// <summary>Once it has been seen more than this often.</summary>
/// <param name="Threshold">Occurrences that are not enough; 1 to 15.</param>
public sealed record AdmitAfter(int Threshold) : AdmissionSpec;
