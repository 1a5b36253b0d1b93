namespace Monolith.Events;

/// <summary>What a topic may be called: Kafka's rule, also for the embedded log.</summary>
internal static class TopicNames
{
    private const int MaxPartitions = 1024;

    public static void Check(TopicSettings topic)
    {
        if (topic.Name.Length is 0 or > 249 || topic.Name is "." or ".." || !topic.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            throw new EventLogException($"'{topic.Name}' cannot name a topic: letters, digits, '.', '-' and '_' are allowed, 1 to 249 of them.");
        }

        if (topic.Partitions is < 1 or > MaxPartitions)
        {
            throw new EventLogException($"Topic '{topic.Name}' cannot have {topic.Partitions} partitions: 1 to {MaxPartitions} are allowed.");
        }
    }
}
