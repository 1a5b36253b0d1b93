using Microsoft.Extensions.Logging;
using Monolith.Events;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>A joiner from joining its group to the first failure: nothing of it is trusted after one.</summary>
internal sealed class JoinerRun(
    IEventLog log,
    JoinRules rules,
    JoinerOptions options,
    TimeProvider time,
    JoinerMetrics metrics,
    ILogger logger,
    Action<JoinCounts, TimeSpan> committed) : IAsyncDisposable
{
    /// <summary>How often the group is followed while transactions overlap; it must not change during one.</summary>
    private const int PollEveryMs = 200;

    private readonly string _group = $"{rules.Topics.Model}.joiner";
    private readonly SortedDictionary<int, JoinPartition> _partitions = [];
    private readonly JoinMemory _memory = new(options.MemoryBudget);
    private readonly JoinOutput _output = new() { MaxRecordBytes = rules.MaxRecordBytes };
    private readonly IEventReader _reader = log.OpenReader();
    private IGroupMember? _member;
    private ITransactionalWriter? _writer;
    private JoinCheckpoints? _checkpoints;
    private Task _committing = Task.CompletedTask;
    private long _polled;
    private bool _behind;
    private volatile JoinerView _view = new(0, 0, 0, 0);

    /// <summary>How it stood after the last step; for any thread.</summary>
    public JoinerView View => _view;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // The writer first: it ends what a dead joiner of this name left open, which readers of committed records wait for.
        _writer = await log.OpenWriterAsync($"{_group}.{options.Name}", cancellationToken).ConfigureAwait(false);
        _checkpoints = options.StateFolder is null ? null : new JoinCheckpoints(rules, options, _memory, time, metrics, logger);
        _member = await log.JoinGroupAsync(_group, rules.Topics.Impressions, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// One transaction, or one wait for something to do. Behind, it joins the next piece while the last one is committed; at
    /// the end it takes what has come in the meantime in one transaction.
    /// </summary>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        if (!_behind || Environment.TickCount64 - _polled > PollEveryMs)
        {
            await _committing.ConfigureAwait(false);
            await FollowGroupAsync(cancellationToken).ConfigureAwait(false);
            if (_checkpoints is not null)
            {
                await _checkpoints.StepAsync(log, _partitions.Values, cancellationToken).ConfigureAwait(false);
            }

            _polled = Environment.TickCount64;
        }

        var batches = await _reader.ReadAsync(Room(), Wait(), cancellationToken).ConfigureAwait(false);
        var started = time.GetTimestamp();
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var offsets = new List<CommittedOffset>();
        _output.Begin(nowMs);
        foreach (var partition in _partitions.Values)
        {
            partition.Apply(
                BatchOf(batches, rules.Topics.Impressions, partition.Partition),
                BatchOf(batches, rules.Topics.Actions, partition.Partition),
                nowMs,
                options.MaxOutputBytes,
                _output,
                offsets);
        }

        await _committing.ConfigureAwait(false);
        if (offsets.Count > 0)
        {
            _committing = CommitAsync(new EventTransaction(_output.Records, _member!, offsets), _output.Counts, started);
        }

        Pace();
        Observe();
    }

    public async ValueTask<long> LagAsync(CancellationToken cancellationToken)
    {
        JoinPartition[] partitions;
        lock (_partitions)
        {
            partitions = [.. _partitions.Values];
        }

        var lag = 0L;
        foreach (var partition in partitions)
        {
            lag += await LagAsync(rules.Topics.Impressions, partition.Partition, partition.Impressions, cancellationToken).ConfigureAwait(false);
            lag += await LagAsync(rules.Topics.Actions, partition.Partition, partition.Actions, cancellationToken).ConfigureAwait(false);
        }

        return lag;
    }

    public async ValueTask DisposeAsync()
    {
        // Whatever became of it, nobody may be writing any more.
        await _committing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_checkpoints is not null)
        {
            await _checkpoints.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var partition in _partitions.Values)
        {
            partition.Dispose();
        }

        await _reader.DisposeAsync().ConfigureAwait(false);
        if (_writer is not null)
        {
            await _writer.DisposeAsync().ConfigureAwait(false);
        }

        if (_member is not null)
        {
            await _member.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static PartitionBatch BatchOf(IReadOnlyList<PartitionBatch> batches, string topic, int partition)
    {
        foreach (var batch in batches)
        {
            if (batch.Partition.Partition == partition && batch.Partition.Topic == topic)
            {
                return batch;
            }
        }

        return default;
    }

    private async Task CommitAsync(EventTransaction transaction, JoinCounts counts, long started)
    {
        // Not given up when the joiner stops: what was joined is said.
        await _writer!.CommitAsync(transaction, CancellationToken.None).ConfigureAwait(false);
        committed(counts, time.GetElapsedTime(started));
    }

    private async ValueTask<long> LagAsync(string topic, int partition, InputProgress input, CancellationToken cancellationToken)
    {
        var high = (await log.WatermarksAsync(new TopicPartition(topic, partition), cancellationToken).ConfigureAwait(false)).High;
        return Math.Max(0, high - input.Next);
    }

    private async Task FollowGroupAsync(CancellationToken cancellationToken)
    {
        var change = await _member!.PollAsync(cancellationToken).ConfigureAwait(false);
        if (change.Revoked.Count > 0 && _checkpoints is not null)
        {
            // The one that is being written holds files of its partition.
            await _checkpoints.SettleAsync().ConfigureAwait(false);
        }

        foreach (var partition in change.Revoked)
        {
            lock (_partitions)
            {
                if (_partitions.Remove(partition, out var gone))
                {
                    gone.Dispose();
                }
            }

            _reader.Remove(new TopicPartition(rules.Topics.Impressions, partition));
            _reader.Remove(new TopicPartition(rules.Topics.Actions, partition));
        }

        foreach (var partition in change.Assigned)
        {
            var recovery = new JoinRecovery(log, rules, _group, _memory, time, logger, _checkpoints is null ? null : _checkpoints.FilesOf);
            var opened = await recovery.OpenAsync(partition, cancellationToken).ConfigureAwait(false);
            lock (_partitions)
            {
                _partitions[partition] = opened;
            }

            // Impressions before actions: at the end of both, every action has had its impression read.
            Resume(rules.Topics.Impressions, partition, opened.Impressions);
            Resume(rules.Topics.Actions, partition, opened.Actions);
        }
    }

    private void Resume(string topic, int partition, InputProgress input)
    {
        input.Paused = false;
        _reader.Seek(new PartitionOffset(new TopicPartition(topic, partition), input.Next));
    }

    /// <summary>
    /// While catching up, an input that is far ahead of the other in event time waits for it: otherwise what must wait for
    /// its partner would pile up without bound.
    /// </summary>
    private void Pace()
    {
        foreach (var partition in _partitions.Values)
        {
            Pace(rules.Topics.Actions, partition.Partition, partition.Actions, partition.Impressions);
            Pace(rules.Topics.Impressions, partition.Partition, partition.Impressions, partition.Actions);
        }
    }

    private void Pace(string topic, int partition, InputProgress input, InputProgress other)
    {
        var slackMs = Math.Clamp(rules.WindowMs / 4, 1_000, 60_000);
        var ahead = !other.AtEnd && other.NewestMs > 0 && input.NewestMs > other.NewestMs + slackMs;
        if (ahead && !input.Paused)
        {
            input.Paused = true;
            input.AtEnd = false;
            _reader.Remove(new TopicPartition(topic, partition));
        }
        else if (!ahead && input.Paused)
        {
            Resume(topic, partition, input);
        }
    }

    /// <summary>
    /// Records to read of a partition: few while windows are behind in closing, so that what is pending stays bounded.
    /// </summary>
    private int Room()
    {
        var room = options.MaxRecords / Math.Max(1, _partitions.Count);
        foreach (var partition in _partitions.Values)
        {
            if (partition.HasMore)
            {
                room /= 16;
                break;
            }
        }

        return Math.Max(1, room);
    }

    private TimeSpan Wait()
    {
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var wait = (long)options.MaxWait.TotalMilliseconds;
        foreach (var partition in _partitions.Values)
        {
            if (partition.HasMore)
            {
                return TimeSpan.Zero;
            }

            var next = partition.State.NextMs;
            if (next != long.MaxValue)
            {
                wait = Math.Min(wait, Math.Max(1, next + rules.AllowedSkewMs - nowMs));
            }
        }

        return TimeSpan.FromMilliseconds(wait);
    }

    private void Observe()
    {
        var (pending, waiting, watermarkMs) = (0L, 0L, long.MaxValue);
        _behind = false;
        foreach (var partition in _partitions.Values)
        {
            _behind |= partition.HasMore || !(partition.Impressions.AtEnd && partition.Actions.AtEnd);
            pending += partition.State.PendingItems;
            waiting += partition.State.Waiting;
            watermarkMs = Math.Min(watermarkMs, partition.State.WatermarkMs);
        }

        _view = new JoinerView(_partitions.Count, pending, waiting, _partitions.Count == 0 ? 0 : watermarkMs);
    }
}
