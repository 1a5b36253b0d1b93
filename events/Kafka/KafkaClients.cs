using Confluent.Kafka;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Monolith.Events.Kafka;

/// <summary>Builds clients that all agree on partitioner, durability and isolation.</summary>
internal sealed class KafkaClients(KafkaEventLogOptions options, Action<string> warn)
{
    /// <summary>
    /// A request of half a heap region (1 MiB on brokers of up to 2 GiB) or more is a "humongous" object to the broker's collector,
    /// which starts another cycle for it: pauses of 50 to 120 ms.
    /// </summary>
    public const int BatchBytes = 256 << 10;

    /// <summary>How long a transaction may stay open before the coordinator aborts it.</summary>
    public static readonly TimeSpan TransactionTimeout = TimeSpan.FromSeconds(15);

    private volatile string? _lastError;

    /// <summary>What the client last complained of, for messages about brokers that do not answer; null: nothing.</summary>
    public string? LastError => _lastError;

    public IAdminClient Admin()
    {
        var config = Common<AdminClientConfig>();
        KafkaSettings.Apply(options.Settings, config);
        var builder = new AdminClientBuilder(config)
            .SetLogHandler((_, m) => Log(m))
            .SetErrorHandler((_, e) => _lastError = e.Code == ErrorCode.Local_AllBrokersDown ? _lastError ?? e.Reason : e.Reason);
        return KafkaSettings.Build(options.Settings, builder.Build);
    }

    /// <summary>A producer; with a name, a transactional one.</summary>
    public IProducer<byte[], byte[]> Producer(string? transactionalId = null)
    {
        var config = Common<ProducerConfig>();
        config.EnableIdempotence = true;
        config.Acks = Acks.All;
        config.Partitioner = Partitioner.Murmur2Random;
        config.BatchSize = BatchBytes;
        // A request is bounded by bytes alone.
        config.BatchNumMessages = 1_000_000;
        // While the records of a flight are handed over, none leaves alone.
        config.LingerMs = 2;
        config.MessageMaxBytes = 9 << 20;
        config.QueueBufferingMaxMessages = 500_000;
        config.QueueBufferingMaxKbytes = 256 << 10;
        config.MessageTimeoutMs = (int)options.Timeout.TotalMilliseconds;
        config.DeliveryReportFields = "status";
        KafkaSettings.Apply(options.Settings, config);
        if (transactionalId is not null)
        {
            config.TransactionalId = transactionalId;
            // Readers of committed records wait for an open transaction: a dead writer's must end soon.
            config.TransactionTimeoutMs = (int)TransactionTimeout.TotalMilliseconds;
            config.MessageTimeoutMs = (int)TransactionTimeout.TotalMilliseconds;
            // Until the coordinator has ended the last transaction it asks for another try: soon, not in the client's 100 ms.
            config.RetryBackoffMs = 2;
            // They leave when the writer flushes.
            config.LingerMs = 1_000;
            // The commit says whether they all arrived: a report, and a handle held for it, a record is for nothing.
            config.EnableDeliveryReports = false;
        }

        var builder = new ProducerBuilder<byte[], byte[]>(config).SetLogHandler((_, m) => Log(m)).SetErrorHandler((_, e) => warn(e.Reason));
        return KafkaSettings.Build(options.Settings, builder.Build);
    }

    /// <summary>A consumer of partitions given to it.</summary>
    public IConsumer<byte[], byte[]> Reader() => Consumer(ReaderConfig("monolith-reader"));

    /// <summary>A consumer that only reads and writes a group's offsets.</summary>
    public IConsumer<byte[], byte[]> Offsets(string group) => Consumer(ReaderConfig(group));

    /// <summary>A consumer that only finds the ends of partitions, records of open transactions included.</summary>
    public IConsumer<byte[], byte[]> Ends()
    {
        var config = ReaderConfig("monolith-reader");
        config.IsolationLevel = IsolationLevel.ReadUncommitted;
        return Consumer(config);
    }

    /// <summary>A member of a group; what it is assigned and what is taken away is told to the handlers.</summary>
    public IConsumer<byte[], byte[]> Member(string group, Action<List<Confluent.Kafka.TopicPartition>> assigned, Action<IEnumerable<Confluent.Kafka.TopicPartition>> revoked)
    {
        var config = ReaderConfig(group);
        config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky;
        config.SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds;
        config.HeartbeatIntervalMs = (int)(options.SessionTimeout.TotalMilliseconds / 6);
        config.QueuedMaxMessagesKbytes = 1024;
        return new ConsumerBuilder<byte[], byte[]>(config)
            .SetLogHandler((_, m) => Log(m))
            .SetPartitionsAssignedHandler((_, partitions) => assigned(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => revoked(partitions.Select(p => p.TopicPartition)))
            .SetPartitionsLostHandler((_, partitions) => revoked(partitions.Select(p => p.TopicPartition)))
            .Build();
    }

    private IConsumer<byte[], byte[]> Consumer(ConsumerConfig config) => new ConsumerBuilder<byte[], byte[]>(config).SetLogHandler((_, m) => Log(m)).Build();

    private ConsumerConfig ReaderConfig(string group)
    {
        var config = Common<ConsumerConfig>();
        config.GroupId = group;
        config.EnableAutoCommit = false;
        config.EnableAutoOffsetStore = false;
        config.IsolationLevel = IsolationLevel.ReadCommitted;
        config.EnablePartitionEof = true;
        config.AutoOffsetReset = AutoOffsetReset.Earliest;
        config.AllowAutoCreateTopics = false;
        // A fetch costs the broker about the same whatever it brings: at load one brings what came in a few milliseconds, not each append.
        config.FetchMinBytes = 64 << 10;
        config.FetchWaitMaxMs = 10;
        // A full queue is looked at again soon, not in the client's second.
        config.FetchQueueBackoffMs = 5;
        config.QueuedMaxMessagesKbytes = 16 << 10;
        config.FetchMaxBytes = 16 << 20;
        config.MaxPartitionFetchBytes = 4 << 20;
        KafkaSettings.Apply(options.Settings, config);
        return config;
    }

    private T Common<T>()
        where T : ClientConfig, new()
        => new() { BootstrapServers = options.BootstrapServers, SocketNagleDisable = true };

    private void Log(LogMessage message)
    {
        if (message.Level <= SyslogLevel.Warning)
        {
            warn(message.Message);
        }
    }
}
