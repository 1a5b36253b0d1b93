using Monolith.Contracts.Events;

namespace Monolith.Trainer.Sources;

/// <summary>
/// Where examples come from: the examples topic of the event log, or a file that is replayed. A source is shared by all
/// workers of a process; each opens readers on the partitions it owns. Safe for concurrent use.
/// </summary>
public interface IExampleSource
{
    /// <summary>
    /// Names the stream in the parts' offsets, for example <c>examples</c> or <c>replay:impressions.csv.gz</c>. Two sources
    /// with different contents never share a name.
    /// </summary>
    string Stream { get; }

    /// <summary>Number of partitions; fixed. Partition p is called <c>Stream/p</c> (<see cref="ExampleSources.PartitionName"/>).</summary>
    int Partitions { get; }

    /// <summary>
    /// Whether this is history that ends. Micro-batches are then filled whatever the clock says, rounds close when every
    /// worker has reported, and a run can be repeated; a live source is learned from within milliseconds instead. The
    /// offsets of a history count in one order over all its partitions (a file's row numbers), so that workers can be kept
    /// near each other.
    /// </summary>
    bool IsHistory { get; }

    /// <summary>Opens a partition at an offset. Several readers of one partition do not disturb each other.</summary>
    /// <param name="partition">0 to <see cref="Partitions"/> − 1.</param>
    /// <param name="offset">Offset of the next record to read; 0 is the beginning.</param>
    /// <param name="cancellation">Stops the attempt.</param>
    /// <exception cref="InvalidDataException">
    /// The offset lies beyond the end of the partition: the parts have learned from another log than this one.
    /// </exception>
    ValueTask<IExampleReader> Open(int partition, long offset, CancellationToken cancellation);
}

/// <summary>Reads one partition in order. Used by one caller at a time.</summary>
public interface IExampleReader : IAsyncDisposable
{
    /// <summary>
    /// Offset of the next record. After opening, larger than what was asked for if the log no longer keeps those records.
    /// </summary>
    long Position { get; }

    /// <summary>
    /// Reads what is there, waiting for a first record if there is none. Returns at once when at least one record is at
    /// hand; empty after <paramref name="maxWait"/> without one. Transient failures of the log are thrown as they are; the
    /// worker opens the partition again.
    /// </summary>
    /// <param name="maxRecords">At most so many records, at least 1.</param>
    /// <param name="maxWait">How long to wait for the first one; zero looks without waiting.</param>
    /// <param name="cancellation">Stops the wait with <see cref="OperationCanceledException"/>; no record is lost by it.</param>
    ValueTask<ExampleRead> Read(int maxRecords, TimeSpan maxWait, CancellationToken cancellation);
}

/// <summary>One record of a partition: the examples of a request that became ready together.</summary>
/// <param name="Offset">The record's own offset.</param>
/// <param name="NextOffset">Where a part stands that has applied it; above <paramref name="Offset"/>, not always by 1.</param>
/// <param name="Group">The examples. Not changed by anyone after it was read.</param>
public readonly record struct ExampleRecord(long Offset, long NextOffset, ExampleGroup Group);

/// <summary>What a read found.</summary>
/// <param name="Records">In the order of offsets; empty when idle. The list may be used until the next read.</param>
/// <param name="Ended">True once no record will ever follow these.</param>
public readonly record struct ExampleRead(IReadOnlyList<ExampleRecord> Records, bool Ended);
