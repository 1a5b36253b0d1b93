namespace Monolith.Events;

/// <summary>A topic.</summary>
public sealed record TopicSettings
{
    /// <summary>The topic's name: letters, digits, dots, dashes and underscores, up to 249.</summary>
    public required string Name { get; init; }

    /// <summary>Number of partitions; fixed when the topic is created.</summary>
    public int Partitions { get; init; } = 4;
}

/// <summary>The topics of a model.</summary>
/// <param name="Model">The model's name.</param>
public readonly record struct ModelTopics(string Model)
{
    /// <summary>Result lists that were shown; keyed by request id.</summary>
    public string Impressions => $"{Model}.impressions";

    /// <summary>What was done with them; keyed by request id, as many partitions as impressions.</summary>
    public string Actions => $"{Model}.actions";

    /// <summary>Example groups; keyed by the model's <c>partition_by</c> feature.</summary>
    public string Examples => $"{Model}.examples";

    /// <summary>Records that could not be used, with the reason.</summary>
    public string DeadLetters => $"{Model}.dead-letters";

    /// <summary>Actions whose impression never came.</summary>
    public string Orphans => $"{Model}.orphans";

    /// <summary>The joiner's journal: what each of its transactions read; as many partitions as impressions.</summary>
    public string Joins => $"{Model}.joins";

    /// <summary>All of them.</summary>
    public IReadOnlyList<string> All => [Impressions, Actions, Examples, DeadLetters, Orphans, Joins];
}
