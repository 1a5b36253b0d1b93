namespace Monolith.Embeddings;

/// <summary>What a table's rows hold.</summary>
public enum TableContent
{
    /// <summary>Values and optimizer state: a shard that learns.</summary>
    Training,

    /// <summary>Values alone, each segment in its serving precision: a replica that serves.</summary>
    Values,
}
