using System.Collections.Immutable;

namespace Monolith.Contracts.Specification;

/// <summary>A feature: a name, and how its value becomes ids or a number.</summary>
public abstract record FeatureSpec
{
    /// <summary>The feature's name; salts its ids, so features never share rows by accident.</summary>
    public required string Name { get; init; }

    /// <summary>A value used instead of the request's when scoring, for what the application cannot know when it asks.</summary>
    public string? ScoreAs { get; init; }
}

/// <summary>A feature whose values are ids with rows in a table.</summary>
public abstract record EmbeddedFeature : FeatureSpec
{
    /// <summary>Name of the table that holds the rows.</summary>
    public required string Table { get; init; }

    /// <summary>How the rows of several values become one vector.</summary>
    public Combiner Combiner { get; init; } = Combiner.Sum;
}

/// <summary>A categorical feature, single- or multi-valued; or a number that is first put into a bucket.</summary>
public sealed record CategoricalFeature : EmbeddedFeature
{
    /// <summary>The event field or file column.</summary>
    public required string Source { get; init; }

    /// <summary>Splits a text into several values; null: single-valued.</summary>
    public string? Separator { get; init; }

    /// <summary>Turns a number into a bucket whose index is the value; null: the value itself is the category.</summary>
    public BucketizeSpec? Bucketize { get; init; }
}

/// <summary>The combination of two or more single-valued features as one id.</summary>
public sealed record CrossFeature : EmbeddedFeature
{
    /// <summary>Names of the crossed features, at least two.</summary>
    public required ImmutableArray<string> Of { get; init; }
}

/// <summary>A number that goes to the network as it is, after its transforms.</summary>
public sealed record NumericFeature : FeatureSpec
{
    /// <summary>The event field or file column.</summary>
    public required string Source { get; init; }

    /// <summary>Applied in order.</summary>
    public ImmutableArray<NumericTransform> Transforms { get; init; } = [];
}

/// <summary>How several rows become one vector. An empty set gives zeros under each.</summary>
public enum Combiner
{
    /// <summary>Σ rows.</summary>
    Sum,

    /// <summary>Σ rows / n.</summary>
    Mean,

    /// <summary>Σ rows / √n.</summary>
    SqrtN,
}

/// <summary>How a number becomes a bucket index.</summary>
public abstract record BucketizeSpec;

/// <summary>⌊log₂(1 + max(x, 0)) · <paramref name="PerOctave"/>⌋.</summary>
/// <param name="PerOctave">Buckets a doubling; 1 or more.</param>
public sealed record LogBuckets(int PerOctave = 1) : BucketizeSpec;

/// <summary>The number of boundaries that are ≤ x.</summary>
/// <param name="Boundaries">Strictly ascending.</param>
public sealed record BoundaryBuckets(ImmutableArray<double> Boundaries) : BucketizeSpec;

/// <summary>One step from a raw number to the network's input.</summary>
public abstract record NumericTransform;

/// <summary>sign(x)·ln(1 + |x|).</summary>
public sealed record LogTransform : NumericTransform;

/// <summary>(x − mean) / deviation, with constants of the specification.</summary>
/// <param name="Mean">Subtracted.</param>
/// <param name="Deviation">Divided by; above 0.</param>
public sealed record StandardizeTransform(double Mean, double Deviation) : NumericTransform;

/// <summary>min(max(x, Low), High).</summary>
/// <param name="Low">Lower bound.</param>
/// <param name="High">Upper bound.</param>
public sealed record ClipTransform(double Low, double High) : NumericTransform;
