using Microsoft.Extensions.Logging;
using Monolith.Contracts.Sync;
using Monolith.Silos.Snapshots;
using Monolith.Silos.Sync;

namespace Monolith.Silos.Parts;

/// <summary>
/// Keeps a part: restores it, saves it, publishes its changes and makes sure that only one activation does so. It runs on
/// the grain's own scheduler: between awaits nothing else runs there, and while it awaits a disk or Redis, calls go on.
/// </summary>
/// <remarks>
/// A part takes a new epoch whenever it is activated, so a version (epoch, sequence) never means two things. Sequence 0 of
/// an epoch is what was restored; each delta leads to the next; a snapshot takes the pending changes as a delta first, so
/// that it equals a sequence. Where deltas had to be given up (Redis was away too long, too many rows changed) sequences go
/// on, replicas find one missing, and the snapshot is what they start from again.
/// </remarks>
public sealed partial class PartKeeper
{
    /// <summary>Deltas that wait for Redis; while there are so many, changes stay in the tables.</summary>
    public const int OutboxMax = 4;

    private readonly PartIdentity _part;
    private readonly IPartState _state;
    private readonly ISyncedState? _synced;
    private readonly SnapshotStore _store;
    private readonly IPartPublisher? _publisher;
    private readonly TimeProvider _time;
    private readonly SiloMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Queue<Delta> _outbox = new();
    private PartitionOffsets[] _oldest = [];
    private IncrementChain _chain = IncrementChain.None;
    private Task _pump = Task.CompletedTask;
    private Task _save = Task.CompletedTask;
    private bool _leased;
    private long _gaveUpAt;
    private long _savedVersion;
    private PartHead _base;

    // Of the newest sequence: as long as no values change, it moves on with what the state has learned through.
    private long _watermarkMs;
    private PartHead _published;
    private long _publishedAt;

    /// <summary>Keeps a part.</summary>
    /// <param name="part">Which.</param>
    /// <param name="state">What it has learned; fresh.</param>
    /// <param name="store">Its snapshots.</param>
    /// <param name="publisher">Its way to replicas; null: nothing is published and nothing fenced (one process alone).</param>
    /// <param name="time">The clock.</param>
    /// <param name="metrics">Figures.</param>
    /// <param name="logger">Log.</param>
    public PartKeeper(
        PartIdentity part,
        IPartState state,
        SnapshotStore store,
        IPartPublisher? publisher,
        TimeProvider time,
        SiloMetrics metrics,
        ILogger logger)
    {
        _part = part;
        _state = state;
        _synced = part.SyncShard is null ? null : (ISyncedState)state;
        _store = store;
        _publisher = publisher;
        _time = time;
        _metrics = metrics;
        _logger = logger;
    }

    /// <summary>The activation's epoch.</summary>
    public long Epoch { get; private set; }

    /// <summary>Sequences taken in this epoch.</summary>
    public long Sequence { get; private set; }

    /// <summary>True once the part may neither publish nor save: another activation owns it, or its state is in doubt.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Whether the state has changed since it was last saved.</summary>
    public bool SaveDue => !Stopped && (BaseDue || _state.Version != _savedVersion);

    /// <summary>Whether replicas wait for a snapshot, because deltas were given up.</summary>
    public bool BaseDue => !Stopped && _gaveUpAt > _base.BaseSequence;

    /// <summary>
    /// How far the oldest snapshot that a restore may fall back to goes in a partition: what the log must keep from.
    /// </summary>
    public long SavedThrough(string partition) =>
        Array.Find(_oldest, p => p.Partition == partition).AppliedThrough;

    /// <summary>Restores the newest snapshot and takes the part over from whoever had it.</summary>
    /// <exception cref="InvalidDataException">Every snapshot is damaged, or the published one is not in the folder.</exception>
    /// <exception cref="SnapshotLayoutException">The snapshot is of another specification.</exception>
    public async Task RestoreAsync()
    {
        var started = _time.GetTimestamp();
        var (snapshotEpoch, path) = await Task.Run(Load);
        Epoch = Math.Max(snapshotEpoch + 1, _time.GetUtcNow().ToUnixTimeMilliseconds());
        if (_publisher is not null)
        {
            _store.RequireVisible(await _publisher.PublishedBaseAsync(), path);
            var (outcome, holder) = await _publisher.TakeLeaseAsync(Epoch, mayBeOurs: false);
            if (outcome == PublishOutcome.Fenced)
            {
                Epoch = holder + 1; // its clock is ahead of ours, or it came in the same millisecond
                (outcome, _) = await _publisher.TakeLeaseAsync(Epoch, mayBeOurs: false);
            }

            _leased = outcome == PublishOutcome.Published;
        }

        _savedVersion = _state.Version;
        _watermarkMs = _state.Offsets.WatermarkMs;
        _base = new PartHead(Epoch, 0, path ?? "", 0, _watermarkMs);
        var elapsed = _time.GetElapsedTime(started);
        _metrics.Restored(_part, elapsed);
        LogRestored(_part, Epoch, path ?? "nothing", elapsed.TotalMilliseconds);
        await PumpAsync();
    }

    /// <summary>Stops publishing and saving for good: the state is in doubt and must be restored.</summary>
    public void Stop() => Stopped = true;

    /// <summary>Stops, and waits for what is under way to let go of the state.</summary>
    public async Task StopAsync()
    {
        Stop();
        await Task.WhenAll(_save, _pump)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    /// <summary>Takes what changed as a delta, if there is room, and publishes what waits.</summary>
    public Task FlushAsync()
    {
        if (!Stopped && _synced is { HasDelta: false })
        {
            _watermarkMs = _state.Offsets.WatermarkMs;
        }
        else if (!Stopped && _synced is not null && _outbox.Count < OutboxMax)
        {
            TakeDelta(_synced);
        }

        return PumpAsync();
    }

    /// <summary>Saves the part, if it changed, and returns once the snapshot is durable.</summary>
    public async Task SaveAsync()
    {
        while (!_save.IsCompleted)
        {
            // A failure is for whoever asked for that one.
            await _save.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        if (SaveDue)
        {
            await (_save = SaveNowAsync());
        }
    }

    private async Task SaveNowAsync()
    {
        var started = _time.GetTimestamp();
        if (_synced is null)
        {
            Sequence++;
        }
        else if (_synced.HasDelta || Sequence == _base.BaseSequence)
        {
            // A sequence of its own even where only offsets moved on: its file has a new name, and may be an increment.
            if (_outbox.Count >= OutboxMax)
            {
                GiveUpDeltas();
            }

            TakeDelta(_synced);
        }

        // Of one turn: the header with its offsets, and the beginning of the copy, belong together.
        var version = _state.Version;
        var chain = _chain;
        _chain = IncrementChain.None;
        using var copy = _state.BeginCopy(chain.Takes(Sequence));
        var header = HeaderNow() with { BuildsOn = copy.IsIncrement ? chain.Names : null };
        var held = await CopyAsync(copy, started);
        if (Stopped)
        {
            return;
        }

        var body = copy.Finish();
        var temporary = await Task.Run(() => _store.Write(header, body));
        if (_publisher is not null && await _publisher.CheckLeaseAsync(Epoch) == PublishOutcome.Fenced)
        {
            SnapshotStore.Discard(temporary);
            Fence();
            return;
        }

        (var path, _oldest) = await Task.Run(() => (_store.Publish(temporary), _store.OldestOffsets()));
        var bytes = body.Sum(b => b.Length);
        _savedVersion = version;
        _chain = chain.With(header, path, bytes);
        _base = new PartHead(Epoch, 0, path, header.Sequence, header.WatermarkMs);
        var elapsed = _time.GetElapsedTime(started);
        _metrics.Saved(_part, elapsed, held, bytes);
        LogSaved(_part, path, bytes, elapsed.TotalMilliseconds, held.TotalMilliseconds);
        await PumpAsync();
    }

    // Between two steps whatever waits for the part has its turn. Returns the longest that anything had to wait.
    private async Task<TimeSpan> CopyAsync(IStateCopy copy, long started)
    {
        var held = TimeSpan.Zero;
        while (!Stopped)
        {
            var done = copy.Step();
            var step = _time.GetElapsedTime(started);
            held = step > held ? step : held;
            if (done)
            {
                break;
            }

            await Task.Yield();
            started = _time.GetTimestamp();
        }

        return held;
    }

    private (long Epoch, string? Path) Load()
    {
        if (_store.OpenNewest(_state.Layout) is not { } opened)
        {
            return (0, null);
        }

        using var chain = opened.Chain;
        foreach (var file in chain.Files)
        {
            _state.Load(file.Body, AppliedOffsets.Restore(file.Header.Partitions, file.Header.Stream));
            file.RequireEnd();
        }

        _oldest = _store.OldestOffsets();
        return (chain.Header.Epoch, opened.RelativePath);
    }

    private SnapshotHeader HeaderNow() => new()
    {
        Model = _part.Model,
        Part = _part.Folder,
        Epoch = Epoch,
        Sequence = Sequence,
        WatermarkMs = _state.Offsets.WatermarkMs,
        TakenMs = _time.GetUtcNow().ToUnixTimeMilliseconds(),
        Layout = [.. _state.Layout],
        Stream = _state.Offsets.Stream,
        Partitions = [.. _state.Offsets.All],
    };

    private void TakeDelta(ISyncedState synced)
    {
        Sequence++;
        _watermarkMs = _state.Offsets.WatermarkMs;
        if (synced.TakeDelta(Epoch, Sequence) is { } delta)
        {
            _outbox.Enqueue(delta);
        }
        else
        {
            GiveUpDeltas();
        }
    }

    // Not disposed: a delta whose publishing failed may still be on its way out of the connection.
    private void GiveUpDeltas()
    {
        LogGaveUp(_part, Sequence);
        _outbox.Clear();
        _gaveUpAt = Sequence;
    }

    // One at a time; whoever comes while it runs waits for the same run, which looks again before it ends.
    private Task PumpAsync() => _pump.IsCompleted ? _pump = PumpCoreAsync() : _pump;

    private async Task PumpCoreAsync()
    {
        while (!Stopped)
        {
            if (_publisher is null)
            {
                while (_outbox.TryDequeue(out var unwanted))
                {
                    unwanted.Dispose();
                }

                return;
            }

            if (_synced is null)
            {
                return; // nothing of it travels
            }

            if (!_leased)
            {
                var (taken, _) = await _publisher.TakeLeaseAsync(Epoch, mayBeOurs: true);
                if (!Handle(taken))
                {
                    return;
                }

                _leased = true;
            }

            var delta = _outbox.TryPeek(out var next) ? next : null;
            var head = _base with { Sequence = delta?.Sequence ?? Sequence, WatermarkMs = delta?.WatermarkMs ?? _watermarkMs };
            if (delta is null && head == _published && _time.GetElapsedTime(_publishedAt) < HeadPeriod)
            {
                return;
            }

            if (!Handle(await _publisher.PublishAsync(head, delta)))
            {
                return;
            }

            (_published, _publishedAt) = (head, _time.GetTimestamp());
            if (delta is not null && _outbox.TryPeek(out var first) && ReferenceEquals(first, delta))
            {
                _outbox.Dequeue();
                _metrics.Published(_part, delta.Memory.Length);
                delta.Dispose();
            }
        }
    }

    private bool Handle(PublishOutcome outcome)
    {
        if (outcome == PublishOutcome.Fenced)
        {
            Fence();
        }

        return outcome == PublishOutcome.Published;
    }

    private void Fence()
    {
        if (!Stopped)
        {
            Stopped = true;
            LogFenced(_part, Epoch);
        }
    }

    /// <summary>The head is published again this often even when nothing changed, so that an emptied Redis heals.</summary>
    private static TimeSpan HeadPeriod => TimeSpan.FromSeconds(2);

    [LoggerMessage(LogLevel.Information, "{Part} takes epoch {Epoch}, restored from {Snapshot} in {Milliseconds:F0} ms")]
    private partial void LogRestored(PartIdentity part, long epoch, string snapshot, double milliseconds);

    [LoggerMessage(LogLevel.Debug, "{Part} saved as {Snapshot}: {Bytes} bytes in {Milliseconds:F0} ms, held {Held:F1} ms")]
    private partial void LogSaved(PartIdentity part, string snapshot, long bytes, double milliseconds, double held);

    [LoggerMessage(LogLevel.Warning, "{Part} gives up deltas before sequence {Sequence}; replicas start again from the next snapshot")]
    private partial void LogGaveUp(PartIdentity part, long sequence);

    [LoggerMessage(LogLevel.Warning, "Another activation owns {Part} now; this one (epoch {Epoch}) stops and publishes nothing more")]
    private partial void LogFenced(PartIdentity part, long epoch);
}
