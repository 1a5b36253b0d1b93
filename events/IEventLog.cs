namespace Monolith.Events;

/// <summary>
/// A partitioned, durable log of events. Two implementations behave the same: <c>EmbeddedEventLog</c> in this process and
/// <c>KafkaEventLog</c>. Safe for concurrent use. Failures are <see cref="EventLogException"/>s.
/// </summary>
public interface IEventLog : IAsyncDisposable
{
    /// <summary>The largest record that the log takes: bytes of key, value and headers, with names, together.</summary>
    int MaxRecordBytes => 1_000_000;

    /// <summary>Creates a topic; does nothing when it is there with the same number of partitions.</summary>
    /// <exception cref="EventLogException">It is there with another number of partitions.</exception>
    ValueTask CreateTopicAsync(TopicSettings topic, CancellationToken cancellationToken = default);

    /// <summary>Number of partitions of a topic; 0 when there is no such topic.</summary>
    ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken = default);

    /// <summary>
    /// Appends records and returns once all are durable. Records of one partition stay in order. After a failure some may
    /// have been appended; appending them again is safe only where readers absorb duplicates.
    /// </summary>
    ValueTask AppendAsync(IReadOnlyList<NewRecord> records, CancellationToken cancellationToken = default);

    /// <summary>Opens a reader; it starts with no partitions when none are given. Only committed records are read.</summary>
    IEventReader OpenReader(params ReadOnlySpan<PartitionOffset> from);

    /// <summary>
    /// What the oldest and newest offsets of a partition are. The end counts records whose transaction is not decided yet:
    /// whoever has read as far has everything that was committed before.
    /// </summary>
    ValueTask<Watermarks> WatermarksAsync(TopicPartition partition, CancellationToken cancellationToken = default);

    /// <summary>What a group has committed; partitions without a commit are left out.</summary>
    ValueTask<IReadOnlyList<CommittedOffset>> CommittedAsync(
        string group,
        IReadOnlyList<TopicPartition> partitions,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Commits offsets durably. The embedded log drops no record that a group has yet to read, so a commit is also how
    /// anybody (a snapshot, for instance) says what it still needs; the offset may move back.
    /// </summary>
    ValueTask CommitAsync(
        string group,
        IReadOnlyList<CommittedOffset> offsets,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Opens a writer of transactions. At most one writer of a name is live: opening one fences the earlier one off.
    /// </summary>
    ValueTask<ITransactionalWriter> OpenWriterAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Joins a group whose members share the partitions of a topic.</summary>
    ValueTask<IGroupMember> JoinGroupAsync(string group, string topic, CancellationToken cancellationToken = default);
}

/// <summary>Reads partitions forward. Used by one caller at a time.</summary>
public interface IEventReader : IAsyncDisposable
{
    /// <summary>Adds a partition, or moves one that is there.</summary>
    /// <remarks>An offset below the low watermark reads from the low watermark on: the records' offsets show it.</remarks>
    void Seek(PartitionOffset to);

    /// <summary>Stops reading a partition.</summary>
    void Remove(TopicPartition partition);

    /// <summary>
    /// Reads what there is, waiting for the first record at most <paramref name="maxWait"/>. Returns a batch for every
    /// partition of the reader, in the order in which they were added; all empty when nothing came in time.
    /// </summary>
    /// <param name="maxRecords">Bound on records a partition; 1 or more.</param>
    /// <param name="maxWait">Bound on the wait; zero: only what is there now.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<PartitionBatch>> ReadAsync(
        int maxRecords,
        TimeSpan maxWait,
        CancellationToken cancellationToken = default);
}

/// <summary>Writes transactions: records and offsets become visible together or not at all. One caller at a time.</summary>
public interface ITransactionalWriter : IAsyncDisposable
{
    /// <summary>Commits a transaction and returns once it is durable.</summary>
    /// <exception cref="FencedException">Another writer of this name, or another member, has taken over.</exception>
    /// <exception cref="EventLogException">Nothing of the transaction is visible, or whether it is could not be found out
    /// (<see cref="EventLogException.OutcomeUnknown"/>): read the committed offsets again.</exception>
    ValueTask CommitAsync(EventTransaction transaction, CancellationToken cancellationToken = default);
}

/// <summary>What moves together.</summary>
/// <param name="Records">Records to append; on the embedded log at most 8 MiB in all.</param>
/// <param name="Member">The member on whose behalf offsets are committed; a member that lost its partitions is refused.</param>
/// <param name="Offsets">The group's new offsets.</param>
public sealed record EventTransaction(
    IReadOnlyList<NewRecord> Records,
    IGroupMember Member,
    IReadOnlyList<CommittedOffset> Offsets);

/// <summary>A member of a group. Polled by one caller at a time, between transactions, never during one.</summary>
public interface IGroupMember : IAsyncDisposable
{
    /// <summary>The group's name.</summary>
    string Group { get; }

    /// <summary>
    /// Takes the changes since the last call; call it at least every few seconds. Partitions taken away are given up by
    /// this call: another member may own them when it returns.
    /// </summary>
    ValueTask<GroupChange> PollAsync(CancellationToken cancellationToken = default);
}

/// <summary>A change of a member's partitions.</summary>
/// <param name="Assigned">Partition numbers that are new.</param>
/// <param name="Revoked">Partition numbers that are gone.</param>
public readonly record struct GroupChange(IReadOnlyList<int> Assigned, IReadOnlyList<int> Revoked)
{
    /// <summary>No change.</summary>
    public static GroupChange None { get; } = new([], []);
}
