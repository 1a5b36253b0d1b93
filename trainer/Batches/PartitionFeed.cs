using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Monolith.Trainer.Sources;

namespace Monolith.Trainer.Batches;

/// <summary>
/// Reads a partition ahead into a bounded queue, so that a worker never waits for the log while there is something to learn.
/// One reader (the worker) and one writer (the loop in here).
/// </summary>
internal sealed partial class PartitionFeed : IAsyncDisposable
{
    private const int ReadMax = 64;
    private readonly IExampleSource _source;
    private readonly int _partition;
    private readonly TimeProvider _time;
    private readonly TimeSpan _readWait;
    private readonly Action _arrived;
    private readonly ILogger _logger;
    private readonly Channel<(ExampleRecord Record, long Arrived)> _queue;
    private readonly int _capacity;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _examples;
    private long _caughtUpMs;
    private long _caughtUpThrough;
    private volatile bool _ended;
    private volatile Exception? _failure;

    /// <summary>Starts reading.</summary>
    /// <param name="source">The source.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">First record wanted.</param>
    /// <param name="microBatch">Examples a micro-batch aims at: the queue holds four of them.</param>
    /// <param name="readWait">How long a read waits for a record.</param>
    /// <param name="time">Clock.</param>
    /// <param name="arrived">Called when there is news, from any thread.</param>
    /// <param name="logger">Log.</param>
    public PartitionFeed(
        IExampleSource source, int partition, long offset, int microBatch, TimeSpan readWait, TimeProvider time, Action arrived,
        ILogger logger)
    {
        (_source, _partition, _readWait, _time, _arrived, _logger) = (source, partition, readWait, time, arrived, logger);
        _capacity = Math.Max(256, 4 * microBatch);
        _queue = Channel.CreateBounded<(ExampleRecord, long)>(
            new BoundedChannelOptions(_capacity) { SingleReader = true, SingleWriter = true });
        _loop = Task.Run(() => ReadAhead(offset));
    }

    /// <summary>
    /// Everything appended before this time (Unix milliseconds) has been read; 0 while the end was not yet seen. To be read
    /// before looking whether the queue is empty.
    /// </summary>
    public long CaughtUpMs => Interlocked.Read(ref _caughtUpMs);

    /// <summary>
    /// Offset through which there was nothing but what was read, markers of transactions included. As <see cref="CaughtUpMs"/>, to
    /// be read before looking whether the queue is empty.
    /// </summary>
    public long CaughtUpThrough => Interlocked.Read(ref _caughtUpThrough);

    /// <summary>Examples waiting.</summary>
    public int Examples => Volatile.Read(ref _examples);

    /// <summary>Whether the queue takes no more for now.</summary>
    public bool IsFull => _queue.Reader.Count >= _capacity;

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => _queue.Reader.Count == 0;

    /// <summary>Whether everything has been taken and nothing more will ever come.</summary>
    public bool IsDrained => _ended && IsEmpty;

    /// <summary>Whether all that will ever come is in the queue.</summary>
    public bool HasEnded => _ended;

    /// <summary>The first record waiting, and when it came (timestamp of the time provider).</summary>
    /// <exception cref="SourceException">The source failed; thrown once everything read before that has been taken.</exception>
    public bool TryPeek(out ExampleRecord record, out long arrived)
    {
        // Read before the queue is looked at: what came before the failure is taken first.
        var failure = _failure;
        var found = _queue.Reader.TryPeek(out var item);
        (record, arrived) = item;
        if (!found && failure is not null)
        {
            throw new SourceException(failure);
        }

        return found;
    }

    /// <summary>Takes the first record waiting.</summary>
    public void Take()
    {
        if (_queue.Reader.TryRead(out var item))
        {
            Interlocked.Add(ref _examples, -item.Record.Group.Examples.Count);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ReadAhead(long offset)
    {
        try
        {
            await using var reader = await _source.Open(_partition, offset, _stop.Token);
            if (reader.Position > offset)
            {
                LogGone(_source.PartitionName(_partition), offset, reader.Position);
            }

            while (!_ended)
            {
                var asked = _time.GetUtcNow().ToUnixTimeMilliseconds();
                var read = await reader.Read(ReadMax, _readWait, _stop.Token);
                foreach (var record in read.Records)
                {
                    Interlocked.Add(ref _examples, record.Group.Examples.Count);
                    await _queue.Writer.WriteAsync((record, _time.GetTimestamp()), _stop.Token);

                    // Now, not after the loop: the next write may have to wait for the worker to take something.
                    _arrived();
                }

                if (read.Records.Count == 0)
                {
                    Interlocked.Exchange(ref _caughtUpThrough, reader.Position);
                    Interlocked.Exchange(ref _caughtUpMs, asked);
                }

                _ended = read.Ended;
                _arrived();
            }
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            // Visible before the worker is woken: the task itself fails only after that.
            _failure = e;
            _arrived();
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Partition}: records from offset {Wanted} were wanted but the log begins at {First}: what lies between is not learned")]
    private partial void LogGone(string partition, long wanted, long first);
}
