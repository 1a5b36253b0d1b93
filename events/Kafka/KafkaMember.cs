using Confluent.Kafka;

namespace Monolith.Events.Kafka;

/// <summary>
/// A member of a consumer group. It only takes part: what it is assigned is paused and read by a reader of its own, so that
/// the partitions of other topics with the same numbers can be read with it.
/// </summary>
internal sealed class KafkaMember : IGroupMember
{
    private readonly KafkaThread _thread = new("kafka member");
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly List<int> _assigned = [];
    private readonly List<int> _revoked = [];

    public KafkaMember(KafkaClients clients, string group, string topic)
    {
        Group = group;
        _consumer = clients.Member(
            group,
            partitions => _assigned.AddRange(partitions.Select(p => p.Partition.Value)),
            Revoked);
        _consumer.Subscribe(topic);
    }

    public string Group { get; }

    /// <summary>Proves to the broker, with a transaction's offsets, that the member still is one.</summary>
    internal IConsumerGroupMetadata Metadata => _consumer.ConsumerGroupMetadata;

    public async ValueTask<GroupChange> PollAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _thread.RunAsync(Poll).ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure($"take part in group '{Group}'", e);
        }
    }

    public ValueTask DisposeAsync() => _thread.StopAsync(
        () =>
        {
            try
            {
                _consumer.Close();
            }
            catch (KafkaException)
            {
                // It could not say goodbye; the group notices after the session's time.
            }

            _consumer.Dispose();
        },
        KafkaThread.CloseTimeout);

    private void Revoked(IEnumerable<Confluent.Kafka.TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            // Given and taken between two polls: nobody heard of it.
            if (!_assigned.Remove(partition.Partition.Value))
            {
                _revoked.Add(partition.Partition.Value);
            }
        }
    }

    private GroupChange Poll()
    {
        // Rebalances happen inside; records that slipped in before the pause are nobody's.
        while (_consumer.Consume(TimeSpan.Zero) is not null)
        {
        }

        if (_assigned.Count + _revoked.Count == 0)
        {
            return GroupChange.None;
        }

        var change = new GroupChange([.. _assigned], [.. _revoked]);
        _consumer.Pause(_consumer.Assignment);
        _assigned.Clear();
        _revoked.Clear();
        return change;
    }
}
