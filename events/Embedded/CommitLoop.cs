using Microsoft.Extensions.Logging;
using RocksDbSharp;

namespace Monolith.Events.Embedded;

/// <summary>Encoded records of one partition, waiting for their offsets. The batch header is left free.</summary>
internal readonly record struct Chunk(PartitionLog Partition, int Count, byte[] Data);

/// <summary>Why an event log cannot write.</summary>
/// <param name="Reason">For people: what is wrong and what to do.</param>
/// <param name="IsHopeless">Whether only a restart of the process, or a person, can help; otherwise it goes on by itself.</param>
public sealed record LogTrouble(string Reason, bool IsHopeless);

/// <summary>What is written together: all of it or nothing.</summary>
internal sealed class CommitRequest
{
    public required IReadOnlyList<Chunk> Chunks { get; init; }

    public int Bytes { get; init; }

    /// <summary>Group and offsets to commit; null: none.</summary>
    public (string Group, IReadOnlyList<CommittedOffset> Offsets)? Commit { get; init; }

    /// <summary>Throws when the one who asks may not any more; runs just before the write.</summary>
    public Action? Check { get; init; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>
/// Group commit: one thread takes everything that waits, gives offsets, writes it as one atomic batch with one fsync,
/// publishes it to readers and answers. While the disk works the next group gathers.
/// </summary>
internal sealed partial class CommitLoop : IDisposable
{
    private const int MaxBatchBytes = 1 << 20;
    private const int BatchOverhead = 128; // objects around a batch's bytes
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);
    private readonly EmbeddedEventLogOptions _options;
    private readonly LogStore _store;
    private readonly Action<CommitRequest, WriteBatch> _putCommit;
    private readonly Action<CommitRequest> _committed;
    private readonly Action _recover;
    private readonly ILogger _logger;
    private readonly EventLogMetrics _metrics;
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly Queue<(PartitionLog Partition, int Bytes)> _inMemory = [];
    private List<CommitRequest> _pending = [];
    private TaskCompletionSource? _room;
    private long _pendingBytes;
    private long _tailBytes;
    private bool _stopped;
    private volatile LogTrouble? _trouble;

    /// <param name="options">Bounds and clock.</param>
    /// <param name="store">Where to.</param>
    /// <param name="putCommit">Adds a request's committed offsets to the batch.</param>
    /// <param name="committed">Called for a request that is durable, before it is answered.</param>
    /// <param name="recover">After a failed write, opens the store again as it was before that write; throws while it cannot.</param>
    /// <param name="metrics">Counters.</param>
    /// <param name="logger">Hears once that writing fails, and that it goes on.</param>
    public CommitLoop(
        EmbeddedEventLogOptions options,
        LogStore store,
        Action<CommitRequest, WriteBatch> putCommit,
        Action<CommitRequest> committed,
        Action recover,
        EventLogMetrics metrics,
        ILogger logger)
    {
        _committed = committed;
        _recover = recover;
        _logger = logger;
        _options = options;
        _store = store;
        _putCommit = putCommit;
        _metrics = metrics;
        _thread = new Thread(Run) { IsBackground = true, Name = "event log commit" };
        _thread.Start();
    }

    /// <summary>Bytes appended since the log was opened.</summary>
    public long AppendedBytes { get; private set; }

    /// <summary>Why nothing can be written now; null: it can.</summary>
    public LogTrouble? Trouble => _trouble;

    public async ValueTask CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        while (!TryAdd(request, out var room))
        {
            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        // Not cancellable from here on: it will be written.
        await request.Done.Task.ConfigureAwait(false);
    }

    /// <summary>Writes what waits and ends.</summary>
    /// <returns>False if the disk did not answer in time: the thread may still use the store.</returns>
    public bool Stop()
    {
        lock (_lock)
        {
            if (!_stopped)
            {
                _stopped = true;
                _work.Release();
            }
        }

        return _thread.Join(StopTimeout);
    }

    /// <summary>Stops it, if that was not done.</summary>
    public void Dispose()
    {
        if (Stop())
        {
            _work.Dispose();
        }
    }

    private bool TryAdd(CommitRequest request, out Task room)
    {
        room = Task.CompletedTask;
        lock (_lock)
        {
            if (_stopped || _trouble is not null)
            {
                throw new EventLogException(_trouble is { } trouble ? $"The event log cannot write. {trouble.Reason}" : "The event log is closed.");
            }

            if (_pendingBytes > 0 && _pendingBytes + request.Bytes > _options.PendingBytes)
            {
                room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                return false;
            }

            _pending.Add(request);
            _pendingBytes += request.Bytes;
            if (_pending.Count == 1)
            {
                _work.Release();
            }

            return true;
        }
    }

    private List<CommitRequest> Take(out bool stopped)
    {
        lock (_lock)
        {
            var taken = _pending;
            _pending = [];
            _pendingBytes = 0;
            _room?.SetResult();
            _room = null;
            stopped = _stopped;
            return taken;
        }
    }

    private void Run()
    {
        for (var stopped = false; !stopped;)
        {
            _work.Wait();
            var requests = Take(out stopped);
            if (requests.Count == 0)
            {
                continue;
            }

            try
            {
                Write(requests);
            }
            catch (Exception e)
            {
                // The disk refused: what follows would leave a hole, so nothing is taken until the store is as it was before.
                lock (_lock)
                {
                    _trouble = new LogTrouble(e.Message, IsHopeless: false);
                }

                LogFailed(e.Message);
                Fail(requests, e);
                Fail(Take(out stopped), e);
                stopped = stopped || !Recover();
            }
        }
    }

    /// <summary>Tries until the store can be written again.</summary>
    /// <returns>False when the loop is stopped before that.</returns>
    private bool Recover()
    {
        // Nothing is taken meanwhile, so only a stop wakes it.
        while (!_work.Wait(_options.RetryInterval))
        {
            try
            {
                _recover();
                _trouble = null;
                LogGoesOn();
                return true;
            }
            catch (Exception e)
            {
                // A folder that is gone, or a disk that takes bytes and a database that does not open, is beyond this process.
                _trouble = new LogTrouble(e.Message, IsHopeless: !DiskTrouble.IsTemporary(e.InnerException ?? e));
            }
        }

        return false;
    }

    private static void Fail(List<CommitRequest> requests, Exception cause)
    {
        foreach (var request in requests)
        {
            request.Done.TrySetException(new EventLogException($"The event log could not write. {cause.Message}", cause) { OutcomeUnknown = true });
        }
    }

    [LoggerMessage(LogLevel.Error, "The event log could not write and refuses events until it can: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(LogLevel.Information, "The event log can write again and takes events")]
    private partial void LogGoesOn();

    private void Write(List<CommitRequest> requests)
    {
        var started = TimeProvider.System.GetTimestamp();
        var now = _options.Time.GetUtcNow().ToUnixTimeMilliseconds();
        using var batch = new WriteBatch();
        var written = new List<(PartitionLog Partition, StoredBatch Batch)>();
        var chunks = new Dictionary<PartitionLog, List<Chunk>>();
        var accepted = new List<CommitRequest>(requests.Count);
        foreach (var request in requests)
        {
            try
            {
                request.Check?.Invoke();
            }
            catch (EventLogException e)
            {
                request.Done.SetException(e);
                continue;
            }

            accepted.Add(request);
            foreach (var chunk in request.Chunks)
            {
                (chunks.TryGetValue(chunk.Partition, out var list) ? list : chunks[chunk.Partition] = []).Add(chunk);
            }

            _putCommit(request, batch);
        }

        foreach (var (partition, list) in chunks)
        {
            Assemble(partition, list, now, written);
        }

        foreach (var (partition, stored) in written)
        {
            LogStore.PutBatch(batch, partition.Id, stored);
        }

        _store.Write(batch);
        Publish(written);
        foreach (var request in accepted)
        {
            _committed(request);
            request.Done.SetResult();
        }

        _metrics.Committed(TimeProvider.System.GetElapsedTime(started));
    }

    /// <summary>Joins small chunks into batches; a chunk that is alone becomes its batch without a copy.</summary>
    private static void Assemble(PartitionLog partition, List<Chunk> chunks, long now, List<(PartitionLog, StoredBatch)> into)
    {
        for (var first = 0; first < chunks.Count;)
        {
            var (count, bytes, end) = (chunks[first].Count, chunks[first].Data.Length, first + 1);
            while (end < chunks.Count && bytes + chunks[end].Data.Length <= MaxBatchBytes)
            {
                count += chunks[end].Count;
                bytes += chunks[end].Data.Length - BatchCodec.HeaderBytes;
                end++;
            }

            var data = chunks[first].Data;
            if (end > first + 1)
            {
                data = GC.AllocateUninitializedArray<byte>(bytes);
                var at = BatchCodec.HeaderBytes;
                for (; first < end; first++)
                {
                    var body = chunks[first].Data.AsSpan(BatchCodec.HeaderBytes);
                    body.CopyTo(data.AsSpan(at));
                    at += body.Length;
                }
            }

            BatchCodec.WriteHeader(data, count, now);
            into.Add((partition, new StoredBatch(partition.NextOffset, count, data)));
            partition.NextOffset += count;
            first = end;
        }
    }

    private void Publish(List<(PartitionLog Partition, StoredBatch Batch)> written)
    {
        foreach (var (partition, stored) in written)
        {
            partition.Publish(stored);
            AppendedBytes += stored.Data.Length;
            _tailBytes += stored.Data.Length + BatchOverhead;
            _inMemory.Enqueue((partition, stored.Data.Length + BatchOverhead));
            _metrics.Appended(partition.Name.Topic, stored.Count, stored.Data.Length);
        }

        while (_tailBytes > _options.TailBytes && _inMemory.TryDequeue(out var oldest))
        {
            oldest.Partition.EvictOldest();
            _tailBytes -= oldest.Bytes;
        }
    }
}
