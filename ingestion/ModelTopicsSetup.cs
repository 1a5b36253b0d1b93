using Monolith.Contracts.Specification;
using Monolith.Events;

namespace Monolith.Ingestion;

/// <summary>Creates a model's topics.</summary>
public static class ModelTopicsSetup
{
    /// <summary>Creates those that are missing; topics that are there keep their number of partitions.</summary>
    /// <exception cref="EventLogException">Topics that must have equally many partitions do not.</exception>
    public static async Task EnsureAsync(
        IEventLog log,
        ModelSpec spec,
        int inputPartitions,
        int examplePartitions,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(spec);
        var topics = new ModelTopics(spec.Name);
        var impressions = await EnsureAsync(log, topics.Impressions, inputPartitions, cancellationToken).ConfigureAwait(false);
        foreach (var topic in new[] { topics.Actions, topics.Joins })
        {
            var partitions = await EnsureAsync(log, topic, impressions, cancellationToken).ConfigureAwait(false);
            if (partitions != impressions)
            {
                throw new EventLogException(
                    $"'{topics.Impressions}' has {impressions} partitions and '{topic}' {partitions}: they must have equally many, "
                    + "or a request's events never meet. Create them again with the same number.");
            }
        }

        await EnsureAsync(log, topics.Examples, examplePartitions, cancellationToken).ConfigureAwait(false);
        await EnsureAsync(log, topics.DeadLetters, 1, cancellationToken).ConfigureAwait(false);
        await EnsureAsync(log, topics.Orphans, 1, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<int> EnsureAsync(IEventLog log, string topic, int partitions, CancellationToken cancellationToken)
    {
        var there = await log.PartitionsAsync(topic, cancellationToken).ConfigureAwait(false);
        if (there > 0)
        {
            return there;
        }

        await log.CreateTopicAsync(new TopicSettings { Name = topic, Partitions = partitions }, cancellationToken).ConfigureAwait(false);
        return partitions;
    }
}
