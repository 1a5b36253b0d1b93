using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RocksDbSharp;

namespace Monolith.Events.Embedded;

/// <summary>
/// The event log of one process, durable on its disk: acknowledged means fsynced, whatever happens to the process. See
/// docs/events.md for how it is laid out.
/// </summary>
public sealed class EmbeddedEventLog : IEventLog
{
    private readonly EmbeddedEventLogOptions _options;
    private readonly EventLogMetrics _metrics = new();
    private readonly CommitLoop _loop;
    private readonly Retention _retention;
    private readonly EmbeddedGroups _groups = new();
    private readonly Lock _topicLock = new();
    private readonly ConcurrentDictionary<string, PartitionLog[]> _topics = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Group, int Partition), CommittedOffset> _committed = new();
    private readonly ConcurrentDictionary<string, long> _writers = new(StringComparer.Ordinal);
    private int _partitions;
    private bool _disposed;

    /// <summary>Opens the log in its folder, creating it when there is none.</summary>
    /// <exception cref="EventLogException">The folder is in use, of another version, or damaged.</exception>
    public EmbeddedEventLog(EmbeddedEventLogOptions options, ILogger<EmbeddedEventLog>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        Store = new LogStore(options);
        var names = new Dictionary<int, TopicPartition>();
        foreach (var (topic, first, partitions) in Store.Topics())
        {
            Add(topic, first, partitions);
            foreach (var partition in _topics[topic])
            {
                names[partition.Id] = partition.Name;
            }
        }

        foreach (var (partition, group, offset) in Store.Commits())
        {
            _committed[(group, partition)] = new CommittedOffset(names[partition], offset);
        }

        var log = logger ?? NullLogger<EmbeddedEventLog>.Instance;
        _loop = new CommitLoop(options, Store, PutCommit, Remember, Recover, _metrics, log);
        _retention = new Retention(options, Store, () => _topics.Values.SelectMany(t => t), Floor, log);
    }

    /// <summary>Why nothing can be appended now; null: all is well.</summary>
    public LogTrouble? Trouble => _loop.Trouble;

    /// <inheritdoc/>
    public int MaxRecordBytes => _options.MaxRecordBytes;

    internal LogStore Store { get; }

    /// <inheritdoc/>
    public ValueTask CreateTopicAsync(TopicSettings topic, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(topic);
        TopicNames.Check(topic);
        lock (_topicLock)
        {
            if (_topics.TryGetValue(topic.Name, out var there))
            {
                return there.Length == topic.Partitions
                    ? ValueTask.CompletedTask
                    : throw new EventLogException(
                        $"Topic '{topic.Name}' has {there.Length} partitions, not {topic.Partitions}; that is fixed when it is created.");
            }

            using var batch = new WriteBatch();
            LogStore.PutTopic(batch, topic.Name, _partitions, topic.Partitions);
            Store.Write(batch);
            Add(topic.Name, _partitions, topic.Partitions);
            return ValueTask.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(_topics.TryGetValue(topic, out var partitions) ? partitions.Length : 0);

    /// <inheritdoc/>
    public ValueTask AppendAsync(IReadOnlyList<NewRecord> records, CancellationToken cancellationToken = default)
        => CommitAsync(records, null, null, cancellationToken);

    /// <inheritdoc/>
    public IEventReader OpenReader(params ReadOnlySpan<PartitionOffset> from)
    {
        var reader = new EmbeddedReader(this);
        foreach (var start in from)
        {
            reader.Seek(start);
        }

        return reader;
    }

    /// <inheritdoc/>
    public ValueTask<Watermarks> WatermarksAsync(TopicPartition partition, CancellationToken cancellationToken = default)
        => ValueTask.FromResult(Partition(partition).Watermarks);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<CommittedOffset>> CommittedAsync(
        string group,
        IReadOnlyList<TopicPartition> partitions,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        var found = new List<CommittedOffset>(partitions.Count);
        foreach (var partition in partitions)
        {
            if (_committed.TryGetValue((group, Partition(partition).Id), out var committed))
            {
                found.Add(committed);
            }
        }

        return ValueTask.FromResult<IReadOnlyList<CommittedOffset>>(found);
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(string group, IReadOnlyList<CommittedOffset> offsets, CancellationToken cancellationToken = default)
        => CommitAsync([], (group, offsets), null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ITransactionalWriter> OpenWriterAsync(string name, CancellationToken cancellationToken = default)
        => ValueTask.FromResult<ITransactionalWriter>(new EmbeddedWriter(this, name, _writers.AddOrUpdate(name, 1, (_, epoch) => epoch + 1)));

    /// <inheritdoc/>
    public ValueTask<IGroupMember> JoinGroupAsync(string group, string topic, CancellationToken cancellationToken = default)
        => ValueTask.FromResult<IGroupMember>(_groups.Join(group, topic, Topic(topic).Length));

    /// <summary>Drops what retention allows now, instead of at the next interval.</summary>
    public void ApplyRetention() => _retention.Apply();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;

            // Bounded, also where the disk hangs: then the store is left to the end of the process.
            var stopped = await _retention.StopAsync().ConfigureAwait(false);
            if (_loop.Stop() && stopped)
            {
                _loop.Dispose();
                Store.Dispose();
            }

            _metrics.Dispose();
        }
    }

    internal bool IsCurrent(string writer, long epoch) => _writers[writer] == epoch;

    internal PartitionLog Partition(TopicPartition name)
    {
        var partitions = Topic(name.Topic);
        return (uint)name.Partition < (uint)partitions.Length
            ? partitions[name.Partition]
            : throw new EventLogException($"Topic '{name.Topic}' has partitions 0 to {partitions.Length - 1}, not {name.Partition}.");
    }

    internal ValueTask CommitAsync(
        IReadOnlyList<NewRecord> records,
        (string Group, IReadOnlyList<CommittedOffset> Offsets)? commit,
        Action? check,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(records);
        foreach (var offset in commit?.Offsets ?? [])
        {
            Partition(offset.Partition);
        }

        var chunks = ChunkBuilder.Build(records, Topic, _options.MaxRecordBytes, out var bytes);
        return chunks.Count == 0 && commit is null
            ? ValueTask.CompletedTask
            : _loop.CommitAsync(new CommitRequest { Chunks = chunks, Bytes = bytes, Commit = commit, Check = check }, cancellationToken);
    }

    private PartitionLog[] Topic(string name) => _topics.TryGetValue(name, out var partitions)
        ? partitions
        : throw new EventLogException($"There is no topic '{name}'; create it first.");

    private void Add(string topic, int first, int partitions)
    {
        var logs = new PartitionLog[partitions];
        for (var i = 0; i < partitions; i++)
        {
            var (low, high) = Store.Watermarks(first + i);
            logs[i] = new PartitionLog(first + i, new TopicPartition(topic, i), low, high);
        }

        _topics[topic] = logs;
        _partitions = Math.Max(_partitions, first + partitions);
    }

    private void PutCommit(CommitRequest request, WriteBatch batch)
    {
        foreach (var offset in request.Commit?.Offsets ?? [])
        {
            var id = Partition(offset.Partition).Id;
            LogStore.PutCommit(batch, id, request.Commit!.Value.Group, offset);
        }
    }

    private void Remember(CommitRequest request)
    {
        foreach (var offset in request.Commit?.Offsets ?? [])
        {
            _committed[(request.Commit!.Value.Group, Partition(offset.Partition).Id)] = offset;
        }
    }

    // What was acknowledged is in memory, and nothing else may be found on the disk.
    private void Recover()
    {
        Store.Reopen();
        var commits = _committed.ToLookup(c => c.Key.Partition, c => (c.Key.Group, c.Value));
        foreach (var partition in _topics.Values.SelectMany(t => t))
        {
            partition.NextOffset = partition.Watermarks.High;
            Store.CutBack(partition.Id, partition.NextOffset, commits[partition.Id]);
        }
    }

    private long Floor(int partition)
    {
        var floor = long.MaxValue;
        foreach (var ((_, id), committed) in _committed)
        {
            if (id == partition)
            {
                floor = Math.Min(floor, committed.Offset);
            }
        }

        return floor;
    }
}
