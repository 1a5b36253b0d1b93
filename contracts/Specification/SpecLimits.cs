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

    /// <summary>Width of a segment.</summary>
    public const int Dimension = 1024;

    /// <summary>Hidden layers.</summary>
    public const int HiddenLayers = 8;

    /// <summary>Width of a hidden layer.</summary>
    public const int HiddenWidth = 8192;

    /// <summary>Examples of a micro-batch.</summary>
    public const int MicroBatch = 65_536;

    /// <summary>Candidates of a scoring request.</summary>
    public const int Candidates = 100_000;
}
