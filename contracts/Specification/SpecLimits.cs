namespace Monolith.Contracts.Specification;

/// <summary>Limits of a specification. Generous; they bound memory and message sizes.</summary>
public static class SpecLimits
{
    /// <summary>Shards of a model.</summary>
    public const int Shards = 1024;

    /// <summary>Features of a model.</summary>
    public const int Features = 1000;

    /// <summary>Tables of a model.</summary>
    public const int Tables = 100;

    /// <summary>Tasks of a model.</summary>
    public const int Tasks = 16;

    /// <summary>Rules for actions of a task.</summary>
    public const int ActionRules = 32;

    /// <summary>Kinds of action that a model's tasks name.</summary>
    public const int ActionKinds = 64;

    /// <summary>Weight of an example.</summary>
    public const double Weight = 10_000;

    /// <summary>Width of a segment.</summary>
    public const int Dimension = 1024;

    /// <summary>Ids an admission filter remembers, at most.</summary>
    public const int Remembered = 1 << 26;

    /// <summary>Ids an admission filter remembers, at least.</summary>
    public const int RememberedLeast = 1024;

    /// <summary>Bytes a table's budget allows, at least: room for the first slabs of rows and index.</summary>
    public const long BudgetBytesLeast = 16 << 20;

    /// <summary>Hidden layers.</summary>
    public const int HiddenLayers = 8;

    /// <summary>Width of a hidden layer.</summary>
    public const int HiddenWidth = 8192;

    /// <summary>Columns that together name a request.</summary>
    public const int RequestColumns = 16;

    /// <summary>Spellings of a missing value.</summary>
    public const int MissingSpellings = 32;

    /// <summary>Examples of a micro-batch.</summary>
    public const int MicroBatch = 65_536;

    /// <summary>Candidates of a scoring request.</summary>
    public const int Candidates = 100_000;

    /// <summary>
    /// Magnitude of a number after its transforms: what lies beyond is taken as this, in training and in serving. The largest
    /// value that <c>log</c> gives for a 32-bit float is 88.7, so it is never bounded.
    /// </summary>
    public const double NumberMax = 100;

    /// <summary>Learning rate of an optimizer.</summary>
    public const double LearningRate = 1_000;

    /// <summary>Share of negatives that a task keeps, at least: negatives are counted as often as its inverse says.</summary>
    public const double KeepNegativesMin = 1e-6;
}
