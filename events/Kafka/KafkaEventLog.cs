using System.Collections.Concurrent;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Monolith.Events.Kafka;

/// <summary>The event log on an Apache Kafka cluster.</summary>
public sealed partial class KafkaEventLog : IEventLog
{
    private static readonly TimeSpan TopicPoll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CoordinatorPoll = TimeSpan.FromMilliseconds(100);
    private readonly KafkaEventLogOptions _options;
    private readonly KafkaClients _clients;
    private readonly ILogger _logger;
    private readonly EventLogMetrics _metrics = new();
    private readonly IAdminClient _admin;
    private readonly KafkaAppender _appender;
    private readonly Lazy<IConsumer<byte[], byte[]>> _ends;
    private readonly ConcurrentDictionary<string, int> _partitions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<IConsumer<byte[], byte[]>>> _offsets = new(StringComparer.Ordinal);

    /// <summary>Connects to a cluster; nothing is sent yet.</summary>
    /// <exception cref="EventLogException">A client setting is unknown, wrong or not free.</exception>
    public KafkaEventLog(KafkaEventLogOptions options, ILogger<KafkaEventLog>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _logger = logger ?? NullLogger<KafkaEventLog>.Instance;
        _clients = new KafkaClients(options, LogClient);
        _ends = new Lazy<IConsumer<byte[], byte[]>>(_clients.Ends);
        _admin = _clients.Admin();
        try
        {
            _appender = new KafkaAppender(_clients.Producer());
        }
        catch
        {
            _admin.Dispose();
            throw;
        }
    }

    /// <summary>Asks the cluster who it is, to find out at once whether it can be reached.</summary>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The cluster's id; it stays the same when its addresses change.</returns>
    /// <exception cref="EventLogException">It cannot be reached; the message names the address and what the client met with.</exception>
    public async ValueTask<string> IdentifyAsync(TimeSpan patience, CancellationToken cancellationToken = default)
    {
        try
        {
            var cluster = await _admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = patience })
                .WaitAsync(cancellationToken).ConfigureAwait(false);
            return cluster.ClusterId;
        }
        catch (KafkaException e)
        {
            var reason = _clients.LastError ?? e.Error.Reason;
            var check = reason.Contains("authentication", StringComparison.OrdinalIgnoreCase) ? " Check sasl.mechanism, sasl.username and sasl.password." : string.Empty;
            throw new EventLogException($"Kafka at {_options.BootstrapServers} does not answer within {patience.TotalSeconds:0.#} s: {reason}{check}", e);
        }
    }

    /// <summary>Names of the topics that are there.</summary>
    public async ValueTask<IReadOnlyList<string>> TopicsAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var metadata = await Task.Run(() => _admin.GetMetadata(_options.Timeout), cancellationToken)
                .WaitAsync(cancellationToken).ConfigureAwait(false);
            return [.. metadata.Topics.Select(t => t.Topic)];
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure("list topics", e);
        }
    }

    /// <summary>Deletes topics that are there; for what was made to be thrown away.</summary>
    public async ValueTask DeleteTopicsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(topics);
        try
        {
            await _admin.DeleteTopicsAsync(topics, new DeleteTopicsOptions { RequestTimeout = _options.Timeout })
                .WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DeleteTopicsException e) when (e.Results.All(r => r.Error.Code is ErrorCode.NoError or ErrorCode.UnknownTopicOrPart))
        {
            // Those that were there are gone.
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure("delete topics", e);
        }

        foreach (var topic in topics)
        {
            _partitions.TryRemove(topic, out _);
        }
    }

    /// <inheritdoc/>
    public async ValueTask CreateTopicAsync(TopicSettings topic, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(topic);
        TopicNames.Check(topic);
        // Looked for first: a client that may not create topics uses those that are there.
        if (await PartitionsAsync(topic.Name, cancellationToken).ConfigureAwait(false) == 0)
        {
            await CreateMissingAsync(topic, cancellationToken).ConfigureAwait(false);
        }

        var partitions = await KnownAsync(topic.Name, cancellationToken).ConfigureAwait(false);
        if (partitions != topic.Partitions)
        {
            throw new EventLogException(
                $"Topic '{topic.Name}' has {partitions} partitions, not {topic.Partitions}; that is fixed when it is created.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken = default)
    {
        if (_partitions.TryGetValue(topic, out var known))
        {
            return known;
        }

        var found = await Task.Run(() => Describe(topic), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (found > 0)
        {
            _partitions[topic] = found;
        }

        return found;
    }

    /// <inheritdoc/>
    public async ValueTask AppendAsync(IReadOnlyList<NewRecord> records, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        if (records.Count == 0)
        {
            return;
        }

        var targets = await TargetsAsync(records, cancellationToken).ConfigureAwait(false);
        var acknowledgement = new Acknowledgement(records.Count);
        await _appender.AppendAsync(records, targets, acknowledgement, cancellationToken).ConfigureAwait(false);
        await acknowledgement.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        _metrics.Appended(records[0].Topic, records.Count, records.Sum(r => (long)r.Value.Length));
    }

    /// <inheritdoc/>
    public IEventReader OpenReader(params ReadOnlySpan<PartitionOffset> from)
    {
        var reader = new KafkaReader(_clients);
        foreach (var start in from)
        {
            reader.Seek(start);
        }

        return reader;
    }

    /// <inheritdoc/>
    public async ValueTask<Watermarks> WatermarksAsync(TopicPartition partition, CancellationToken cancellationToken = default)
    {
        try
        {
            var found = await Task.Run(
                () => _ends.Value.QueryWatermarkOffsets(new Confluent.Kafka.TopicPartition(partition.Topic, partition.Partition), _options.Timeout),
                cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            return new Watermarks(found.Low.Value, found.High.Value);
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure($"find the ends of {partition}", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<CommittedOffset>> CommittedAsync(
        string group,
        IReadOnlyList<TopicPartition> partitions,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        try
        {
            var asked = partitions.Select(p => new Confluent.Kafka.TopicPartition(p.Topic, p.Partition)).ToList();
            var found = await AskCoordinatorAsync(() => Offsets(group).Committed(asked, _options.Timeout), cancellationToken).ConfigureAwait(false);
            return
            [
                .. found.Where(o => o.Offset != Offset.Unset)
                    .Select(o => new CommittedOffset(new TopicPartition(o.Topic, o.Partition.Value), o.Offset.Value)),
            ];
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure($"read the offsets of group '{group}'", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask CommitAsync(string group, IReadOnlyList<CommittedOffset> offsets, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        try
        {
            var commits = offsets.Select(o => new TopicPartitionOffset(o.Partition.Topic, o.Partition.Partition, o.Offset)).ToList();
            await AskCoordinatorAsync(
                () =>
                {
                    Offsets(group).Commit(commits);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure($"commit the offsets of group '{group}'", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ITransactionalWriter> OpenWriterAsync(string name, CancellationToken cancellationToken = default)
    {
        var writer = new KafkaWriter(this, _clients, _options, name);
        try
        {
            await writer.StartAsync(cancellationToken).ConfigureAwait(false);
            return writer;
        }
        catch
        {
            await writer.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IGroupMember> JoinGroupAsync(string group, string topic, CancellationToken cancellationToken = default)
        => ValueTask.FromResult<IGroupMember>(new KafkaMember(_clients, group, topic));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.Run(() =>
        {
            _appender.Close(_options.Timeout);
            _admin.Dispose();
            foreach (var consumer in _offsets.Values.Append(_ends).Where(c => c.IsValueCreated))
            {
                consumer.Value.Dispose();
            }
        }).ConfigureAwait(false);
        _metrics.Dispose();
    }

    /// <summary>Where records go.</summary>
    internal async ValueTask<Confluent.Kafka.TopicPartition[]> TargetsAsync(IReadOnlyList<NewRecord> records, CancellationToken cancellationToken)
    {
        var targets = new Confluent.Kafka.TopicPartition[records.Count];
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i] = await TargetAsync(records[i], cancellationToken).ConfigureAwait(false);
        }

        return targets;
    }

    /// <summary>Where a record goes: the partition it names, or that of its key.</summary>
    private async ValueTask<Confluent.Kafka.TopicPartition> TargetAsync(NewRecord record, CancellationToken cancellationToken)
    {
        var partitions = await PartitionsAsync(record.Topic, cancellationToken).ConfigureAwait(false);
        if (partitions == 0)
        {
            throw new EventLogException($"There is no topic '{record.Topic}'; create it first.");
        }

        var partition = record.Partition == NewRecord.ByKey ? Contracts.Events.Partitioner.Of(record.Key.Span, partitions) : record.Partition;
        return (uint)partition < (uint)partitions
            ? new Confluent.Kafka.TopicPartition(record.Topic, partition)
            : throw new EventLogException($"Topic '{record.Topic}' has partitions 0 to {partitions - 1}, not {partition}.");
    }

    /// <summary>Asks again while a group's coordinator is found, moves or loads: on a new cluster the first group makes it start.</summary>
    private async Task<T> AskCoordinatorAsync<T>(Func<T> call, CancellationToken cancellationToken)
    {
        for (var left = _options.Timeout; ; left -= CoordinatorPoll)
        {
            try
            {
                return await Task.Run(call, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (KafkaException e) when (left > TimeSpan.Zero && IsMoving(e.Error.Code))
            {
                await Task.Delay(CoordinatorPoll, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static bool IsMoving(ErrorCode code)
        => code is ErrorCode.NotCoordinatorForGroup or ErrorCode.GroupCoordinatorNotAvailable or ErrorCode.GroupLoadInProgress;

    private IConsumer<byte[], byte[]> Offsets(string group) => _offsets.GetOrAdd(group, g => new Lazy<IConsumer<byte[], byte[]>>(() => _clients.Offsets(g))).Value;

    private async ValueTask CreateMissingAsync(TopicSettings topic, CancellationToken cancellationToken)
    {
        var specification = new TopicSpecification
        {
            Name = topic.Name,
            NumPartitions = topic.Partitions,
            ReplicationFactor = _options.ReplicationFactor,
            // Append times are the log's: event times are checked against them.
            Configs = new Dictionary<string, string> { ["message.timestamp.type"] = "LogAppendTime" },
        };
        try
        {
            await _admin.CreateTopicsAsync([specification], new CreateTopicsOptions { RequestTimeout = _options.Timeout })
                .WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (CreateTopicsException e) when (e.Results.All(r => r.Error.Code is ErrorCode.TopicAlreadyExists or ErrorCode.NoError))
        {
            // As asked; how many partitions it has is checked below.
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure($"create topic '{topic.Name}'", e);
        }
    }

    private int Describe(string topic)
    {
        try
        {
            var metadata = _admin.GetMetadata(topic, _options.Timeout).Topics.Single();
            return metadata.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.LeaderNotAvailable ? 0
                : metadata.Error.IsError ? throw new KafkaException(metadata.Error)
                : metadata.Partitions.Count;
        }
        catch (KafkaException e)
        {
            throw KafkaRecords.Failure($"describe topic '{topic}'", e);
        }
    }

    /// <summary>Waits until a topic that was just created is known and led.</summary>
    private async ValueTask<int> KnownAsync(string topic, CancellationToken cancellationToken)
    {
        for (var left = _options.Timeout; left > TimeSpan.Zero; left -= TopicPoll)
        {
            var partitions = await PartitionsAsync(topic, cancellationToken).ConfigureAwait(false);
            if (partitions > 0)
            {
                return partitions;
            }

            await Task.Delay(TopicPoll, cancellationToken).ConfigureAwait(false);
        }

        throw new EventLogException($"Topic '{topic}' was created but did not appear within {_options.Timeout.TotalSeconds:N0} s.");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka client: {Message}")]
    private partial void LogClient(string message);
}
