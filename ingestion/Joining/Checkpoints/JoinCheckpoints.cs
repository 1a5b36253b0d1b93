using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Monolith.Events;

namespace Monolith.Ingestion.Joining.Checkpoints;

/// <summary>
/// Takes checkpoints of a joiner's partitions, one at a time: the state is copied at once, between two transactions; writing
/// it is nobody's wait. A checkpoint saves time and is never the truth: one that cannot be written is a warning.
/// </summary>
internal sealed partial class JoinCheckpoints : IAsyncDisposable
{
    /// <summary>A checkpoint costs what the index has of requests; it must be worth the records that it saves.</summary>
    private const int RequestsARecord = 4;
    private readonly JoinRules _rules;
    private readonly JoinMemory _memory;
    private readonly int _after;
    private readonly TimeProvider _time;
    private readonly JoinerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly string _folder;
    private readonly FileStream _lock;
    private JoinPartition? _of;
    private Task<Written> _writing = Task.FromResult(default(Written));

    /// <exception cref="EventLogException">Another joiner works in the folder.</exception>
    public JoinCheckpoints(JoinRules rules, JoinerOptions options, JoinMemory memory, TimeProvider time, JoinerMetrics metrics, ILogger logger)
    {
        (_rules, _memory, _after, _time, _metrics, _logger) = (rules, memory, options.CheckpointAfter, time, metrics, logger);
        _folder = Path.Combine(options.StateFolder!, $"{rules.Topics.Model}.{Uri.EscapeDataString(options.Name)}");
        Directory.CreateDirectory(_folder);
        try
        {
            _lock = new FileStream(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new EventLogException($"'{_folder}' is another joiner's, of the same name, that still runs; joiners of a model need a name each.", e);
        }
    }

    public CheckpointFiles FilesOf(int partition) => new(Path.Combine(_folder, $"{partition}"));

    /// <summary>Begins a checkpoint if one is due. Everything that was applied must be committed.</summary>
    public async ValueTask StepAsync(IEventLog log, IReadOnlyCollection<JoinPartition> partitions, CancellationToken cancellationToken)
    {
        if (!_writing.IsCompleted)
        {
            return;
        }

        await SettleAsync().ConfigureAwait(false);
        JoinPartition? due = null;
        foreach (var partition in partitions)
        {
            if (partition.IsOutdated)
            {
                Retire(partition);
            }

            var worth = Math.Max(_after / partitions.Count, partition.State.Requests / RequestsARecord);
            if (partition.ToReplay >= worth && partition.ToReplay > (due?.ToReplay ?? 0))
            {
                due = partition;
            }
        }

        if (due is not null)
        {
            var joins = new TopicPartition(_rules.Topics.Joins, due.Partition);
            Begin(due, (await log.WatermarksAsync(joins, cancellationToken).ConfigureAwait(false)).High);
        }
    }

    /// <summary>Waits for the checkpoint that is being written.</summary>
    public async ValueTask SettleAsync()
    {
        var written = await _writing.ConfigureAwait(false);
        if (_of is not { } of)
        {
            return;
        }

        _of = null;
        if (written.Failure is { } failure)
        {
            LogFailed(failure, of.Partition);
            Retire(of);
            return;
        }

        of.Published();
        _metrics.Checkpointed(written.Pause, written.Duration, written.Bytes);
        LogTaken(of.Partition, written.Records, written.Bytes, written.Pause.TotalMilliseconds, written.Duration.TotalSeconds);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await SettleAsync().ConfigureAwait(false);
        }
        finally
        {
            await _lock.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Begin(JoinPartition partition, long journalHigh)
    {
        var started = _time.GetTimestamp();
        var records = partition.ToReplay;
        var checkpoint = new CheckpointWriter(_memory);
        var files = partition.Capture(checkpoint, journalHigh);
        var pause = _time.GetElapsedTime(started);
        _of = partition;
        _writing = Task.Run(() =>
        {
            var failure = Write(FilesOf(partition.Partition), checkpoint, files);
            return new Written(records, checkpoint.Bytes, pause, _time.GetElapsedTime(started), failure);
        });
    }

    private static Exception? Write(CheckpointFiles to, CheckpointWriter checkpoint, List<SafeFileHandle> files)
    {
        try
        {
            files.ForEach(RandomAccess.FlushToDisk);
            to.Publish(checkpoint);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e;
        }
        finally
        {
            checkpoint.Dispose();
        }
    }

    private void Retire(JoinPartition partition)
    {
        FilesOf(partition.Partition).Unpublish();
        partition.Retired();
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Checkpoint of partition {Partition}: {Records} records need not be taken again; {Bytes} bytes, {PauseMs:F1} ms pause, written in {Seconds:F2} s")]
    private partial void LogTaken(int partition, long records, long bytes, double pauseMs, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No checkpoint of partition {Partition}: it could not be written")]
    private partial void LogFailed(Exception exception, int partition);

    private readonly record struct Written(long Records, long Bytes, TimeSpan Pause, TimeSpan Duration, Exception? Failure);
}
