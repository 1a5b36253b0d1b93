namespace Monolith.Events.Kafka;

/// <summary>How to reach a Kafka cluster.</summary>
public sealed record KafkaEventLogOptions
{
    /// <summary>Brokers to start from: <c>host:port</c>, separated by commas.</summary>
    public required string BootstrapServers { get; init; }

    /// <summary>Copies of a topic that is created; −1: as the cluster is set up.</summary>
    public short ReplicationFactor { get; init; } = -1;

    /// <summary>How long an operation may take before it fails. Default: 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a member of a group may be silent before its partitions go to others. Default: 6 s, the least brokers allow
    /// unless set up otherwise.
    /// </summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>
    /// Any other client setting by librdkafka's name, for example <c>security.protocol</c>, <c>sasl.mechanism</c>,
    /// <c>sasl.username</c>, <c>sasl.password</c>, <c>ssl.ca.location</c>. They go before our own choices, such as
    /// <c>fetch.wait.max.ms</c>. Values are never logged.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
