using Microsoft.Extensions.Logging;
using RocksDbSharp;

namespace Monolith.Events.Embedded;

/// <summary>
/// Drops the oldest batches that are too old or too many, but never one that a group has yet to read.
/// </summary>
internal sealed partial class Retention
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);
    private readonly EmbeddedEventLogOptions _options;
    private readonly LogStore _store;
    private readonly Func<IEnumerable<PartitionLog>> _partitions;
    private readonly Func<int, long> _floor;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private bool _disposed;

    public Retention(
        EmbeddedEventLogOptions options,
        LogStore store,
        Func<IEnumerable<PartitionLog>> partitions,
        Func<int, long> floor,
        ILogger logger)
    {
        _options = options;
        _store = store;
        _partitions = partitions;
        _floor = floor;
        _logger = logger;
        _timer = options.Time.CreateTimer(_ => ApplyOrLog(), null, options.RetentionInterval, options.RetentionInterval);
    }

    /// <summary>Applies retention once.</summary>
    public void Apply()
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                Drop();
            }
        }
    }

    /// <summary>Ends it, and waits for what is under way.</summary>
    /// <returns>False if that did not end in time: it may still use the store.</returns>
    public async Task<bool> StopAsync()
    {
        // The timer alone does not know of a caller of Apply.
        var ended = Task.Run(async () =>
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
            lock (_lock)
            {
                _disposed = true;
            }
        });
        return await Task.WhenAny(ended, Task.Delay(StopTimeout)).ConfigureAwait(false) == ended;
    }

    // An exception in a timer would end the process. The next interval tries again.
    private void ApplyOrLog()
    {
        try
        {
            Apply();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailed(e.Message);
        }
    }

    private void Drop()
    {
        var oldestMs = (_options.Time.GetUtcNow() - _options.RetentionAge).ToUnixTimeMilliseconds();
        var excess = _store.Bytes - _options.RetentionBytes;
        var heads = new PriorityQueue<Head, long>();
        var held = false;
        List<Head> done = [];
        foreach (var partition in _partitions())
        {
            var low = partition.Watermarks.Low;
            var head = new Head(partition, low, _floor(partition.Id), _store.Scan(partition.Id, low).GetEnumerator());
            Push(head);
        }

        while (heads.TryPeek(out var head, out var appendTimeMs) && (appendTimeMs < oldestMs || excess > 0))
        {
            heads.Dequeue();
            if (head.Batches.Current.EndOffset > head.Floor)
            {
                held = true;
                done.Add(head);
                continue;
            }

            head.Through = head.Batches.Current.EndOffset;
            excess -= head.Batches.Current.Bytes;
            Push(head);
        }

        while (heads.TryDequeue(out var head, out _))
        {
            done.Add(head);
        }

        foreach (var head in done)
        {
            head.Batches.Dispose();
            Truncate(head);
        }

        if (held && excess > 0)
        {
            LogHeld(_options.RetentionBytes, excess);
        }

        void Push(Head head)
        {
            // The newest batch stays: it tells a start where the partition ends.
            if (head.Batches.MoveNext() && head.Batches.Current.EndOffset < head.Partition.Watermarks.High)
            {
                heads.Enqueue(head, head.Batches.Current.AppendTimeMs);
            }
            else
            {
                done.Add(head);
            }
        }
    }

    private void Truncate(Head head)
    {
        if (head.Through == head.Low)
        {
            return;
        }

        using var batch = new WriteBatch();
        LogStore.Truncate(batch, head.Partition.Id, head.Low, head.Through);
        head.Partition.Truncate(head.Through);
        _store.Write(batch);
        _store.Reclaim(head.Partition.Id, head.Low, head.Through);
        LogTruncated(head.Partition.Name, head.Through);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Dropped {Partition} below offset {Offset}")]
    private partial void LogTruncated(TopicPartition partition, long offset);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old events could not be dropped; this is tried again: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The event log is beyond its {Limit} bytes by {Excess}, but groups have yet to read what is oldest")]
    private partial void LogHeld(long limit, long excess);

    private sealed class Head(
        PartitionLog partition,
        long low,
        long floor,
        IEnumerator<(long EndOffset, long AppendTimeMs, int Bytes)> batches)
    {
        public PartitionLog Partition { get; } = partition;

        public long Low { get; } = low;

        public long Floor { get; } = floor;

        public IEnumerator<(long EndOffset, long AppendTimeMs, int Bytes)> Batches { get; } = batches;

        public long Through { get; set; } = low;
    }
}
