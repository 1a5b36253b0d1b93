using System.Numerics;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Trainer.Batches;
using Monolith.Trainer.Federation;
using Monolith.Trainer.Parts;
using Monolith.Trainer.Sources;

namespace Monolith.Trainer.Worker;

/// <summary>
/// One federated client: owns partitions of the source, and takes every example of them to every part exactly once
/// (docs/exactly-once.md).
/// </summary>
/// <remarks>
/// A pipeline of depth one. While micro-batch n computes, batch n+1 is collected and its rows are fetched, once batch n−1 is
/// acknowledged; batch n is pushed after that. So rows are never more than one batch old, and over history the order is
/// the same on every run:
/// <code>
/// compute(n)  ──────────────────────────►│ push(n) ───►
/// push(n−1) ───► acknowledged │ lookup(n+1) ───►│ compute(n+1) …
/// </code>
/// After any failure the worker claims its partitions again, with which everything under way becomes void, and starts from
/// where the parts stand.
/// </remarks>
internal sealed partial class TrainingWorker : IDisposable
{
    // A joiner stamps an example a little before the log has it.
    private const long EmissionSlackMs = 100;
    private static readonly TimeSpan LeaveWait = TimeSpan.FromSeconds(2);
    private readonly WorkerContext _context;
    private readonly ILogger _logger;
    private readonly List<OwnedPartition> _owned;
    private readonly Ballot _ballot;
    private readonly LostPartitions _lost;
    private readonly LocalSteps _steps;
    private readonly RoundKeeper _rounds;
    private readonly ShardCalls _shards;
    private readonly MetricsCalls _scores;
    private readonly Collector _collector;
    private readonly NumberScales _scales;
    private readonly Signal _news = new();
    private readonly Random _random;
    private MicroBatch _current;
    private MicroBatch _next;
    private int _failures;
    private int _unsound;

    /// <summary>Prepares a worker.</summary>
    /// <param name="context">What workers share.</param>
    /// <param name="name">Its name.</param>
    /// <param name="partitions">The partitions it owns.</param>
    /// <exception cref="PlatformNotSupportedException">LibTorch cannot be loaded here.</exception>
    public TrainingWorker(WorkerContext context, string name, IEnumerable<int> partitions)
    {
        (_context, _logger) = (context, context.Logger);
        Name = name;
        var (spec, parts, source, options) = (context.Spec, context.Parts, context.Source, context.Options);
        _random = new Random(HashCode.Combine(name, spec.Seed));
        _owned = [.. partitions.Select(p => new OwnedPartition(p, source.PartitionName(p), parts.All.Length))];
        _ballot = new Ballot(parts, context.Time, _random);
        _lost = new LostPartitions(parts, options.RetakeWait, context.Time, _random);
        _steps = new LocalSteps(spec);
        _rounds = new RoundKeeper(name, _owned, spec, parts, _steps, source.IsHistory, AheadMax(spec, source), context.Time, context.Metrics);
        _shards = new ShardCalls(spec, parts, options.UntouchedBatches);
        _scores = new MetricsCalls(parts, options.UntouchedBatches);
        _collector = new Collector(spec.Training, source.IsHistory, context.Time, Refused);
        _scales = new NumberScales(
            [.. spec.Features.OfType<NumericFeature>()], context.ReportedScales, warning => LogNumber(Name, warning));
        (_current, _next) = (new MicroBatch(spec, _scales.Add), new MicroBatch(spec, _scales.Add));
    }

    /// <summary>The worker's name.</summary>
    public string Name { get; }

    /// <summary>What it has done so far.</summary>
    public WorkerProgress Progress { get; } = new();

    private bool IsHistory => _context.Source.IsHistory;

    /// <summary>Learns until history ends or it is told to stop. Partitions that another worker takes over are taken back once it is gone.</summary>
    /// <param name="joined">Awaited once the worker has its partitions and has joined the others, before it learns.</param>
    /// <param name="stop">A clean stop: what was begun is brought to its end.</param>
    public async Task Run(Func<Task> joined, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested && !await TryRun(joined, stop))
            {
                var wait = _context.Options.RetryWait * Math.Pow(2, Math.Min(_failures - 1, 30)) * (0.5 + (0.5 * _random.NextDouble()));
                await Delay(wait < _context.Options.RetryWaitMax ? wait : _context.Options.RetryWaitMax, stop);
            }
        }
        finally
        {
            await CloseFeeds();
            _rounds.Forget();
            await Leave();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _steps.Dispose();

    // True when there is nothing more to do.
    private async Task<bool> TryRun(Func<Task> joined, CancellationToken stop)
    {
        try
        {
            if (await Recover(stop))
            {
                await joined();
                await Learn(stop);
                await Finish(stop);
            }

            return true;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return true;
        }
        catch (SourceException e) when (IsHistory)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
        catch (Exception e) when (!IsHistory || _failures + 1 < _context.Options.HistoryFailuresMax)
        {
            _failures++;
            _context.Metrics.Failure();
            Progress.Failed(e.Message);
            LogFailure(e, Name, _failures);
            return false;
        }
    }

    // False when history is over for it: every partition has another owner now.
    private async Task<bool> Recover(CancellationToken stop)
    {
        await CloseFeeds();
        _rounds.Forget();
        if (!await ClaimPartitions(stop))
        {
            return false;
        }

        if (!await _rounds.Join())
        {
            LogOtherOptimizer(Name);
        }

        _collector.Reset(_owned.Select(p => (p, Open(p))));
        LogStarts(Name, string.Join(", ", _owned.Select(p => $"{p.Name} at {p.Position}")), _steps.Round);
        return true;
    }

    // Two rounds' worth of a history that is spread evenly over its partitions.
    private static long AheadMax(ModelSpec spec, IExampleSource source) =>
        2L * spec.Federated.LocalSteps * spec.Training.MicroBatch * source.Partitions;

    private async Task Learn(CancellationToken stop)
    {
        var push = Task.CompletedTask;
        var compute = Task.CompletedTask;
        try
        {
            var has = false;
            while (true)
            {
                if (!has)
                {
                    await push;
                    if (!await TryCollect(_current, stop))
                    {
                        return;
                    }

                    await Lookup(_current);
                    await _rounds.Tend();
                    await _rounds.Refresh();
                }

                var batch = _current;
                if (await _rounds.KeepAbreast())
                {
                    await push;
                    await Lookup(batch); // others have learned meanwhile
                }

                compute = Task.Run(() => Compute(batch), CancellationToken.None);
                has = IsHistory ? await TryCollect(_next, stop) : !stop.IsCancellationRequested && _collector.TryTake(_next, out _);
                await push;
                if (has)
                {
                    await Lookup(_next);
                }

                await compute;
                push = Push(batch);
                await _rounds.Tend();
                if (!IsHistory)
                {
                    await BeatIfDue();
                    await TakeBackIfDue();
                }

                (_current, _next) = (_next, _current);
            }
        }
        finally
        {
            // Whatever is under way touches the batches and the partitions' offsets: it must be over before anyone goes on.
            await compute.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await push.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Waits for a batch; false when none will come.
    private async Task<bool> TryCollect(MicroBatch batch, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (_collector.TryTake(batch, out var wait))
            {
                Progress.IsCaughtUp = false;
                return true;
            }

            if (_collector.IsDrained)
            {
                return false;
            }

            if (!IsHistory)
            {
                Progress.IsCaughtUp = _collector.Inputs.All(i => i.Feed.IsEmpty && i.Feed.CaughtUpMs > 0);
                await _rounds.Tend();
                await BeatIfDue();
                await TakeBackIfDue();
                wait = Least(Least(wait, _rounds.DueIn), _context.Options.Heartbeat);
            }

            await _news.Wait(wait, _context.Time, stop);
        }

        return false;
    }

    private async Task Lookup(MicroBatch batch)
    {
        _scales.Check();
        var start = _context.Time.GetTimestamp();
        await _shards.Lookup(batch);
        _context.Metrics.Lookup(_context.Time.GetElapsedTime(start));
    }

    private void Compute(MicroBatch batch)
    {
        var start = _context.Time.GetTimestamp();
        if (_steps.Learn(batch) is > 0 and var leftOut)
        {
            _context.Metrics.Refused(leftOut);
            Progress.Refuse(leftOut);
            if (BitOperations.IsPow2(++_unsound))
            {
                LogUnsound(Name, leftOut, batch.Partition.Name, batch.From, batch.Through, _unsound);
            }
        }

        _context.Metrics.Batch(batch.Count, _context.Time.GetElapsedTime(start));
    }

    // Everything that is sent is copied out of the batch before the first await, so that the batch may be filled again.
    private async Task Push(MicroBatch batch)
    {
        var start = _context.Time.GetTimestamp();
        var (partition, count, watermark) = (batch.Partition, batch.Count, batch.WatermarkMs);
        if (_context.Sink is { } sink && _scores.IsBehind(batch))
        {
            batch.Report(sink);
        }

        await Task.WhenAll(_shards.Push(batch).Append(_scores.Push(batch)));
        partition.Delivered();
        _failures = 0;
        _lost.Forgive();
        _context.Metrics.Push(_context.Time.GetElapsedTime(start));
        Progress.Learned(count, _steps.Round, watermark);
        if (!IsHistory)
        {
            _context.Metrics.Delay(TimeSpan.FromMilliseconds(
                Math.Max(0, _context.Time.GetUtcNow().ToUnixTimeMilliseconds() - watermark)));
        }
    }

    // Idle partitions move the watermarks on with the clock, and the offsets past what is no record: Kafka ends a transaction with a
    // marker, and a part that has everything must not look as if it were behind.
    private async Task BeatIfDue()
    {
        var beat = false;
        foreach (var (partition, feed) in _collector.Inputs)
        {
            var (caughtUp, through) = (feed.CaughtUpMs, feed.CaughtUpThrough);
            if (caughtUp > 0 && feed.IsEmpty && !partition.HasOutstanding
                && _context.Time.GetElapsedTime(partition.LastHeartbeat) >= _context.Options.Heartbeat)
            {
                partition.LastHeartbeat = _context.Time.GetTimestamp();
                partition.WatermarkMs = Math.Max(partition.WatermarkMs, caughtUp - EmissionSlackMs);
                partition.DenseWatermarkMs = partition.WatermarkMs;
                partition.Position = Math.Max(partition.Position, through);
                partition.DenseThrough = Math.Max(partition.DenseThrough, partition.Position);
                await Advance(partition, all: true);
                beat = true;
            }
        }

        if (beat)
        {
            _rounds.Heartbeat();
        }
    }

    private Task Advance(OwnedPartition partition, bool all) =>
        Task.WhenAll(_shards.Advance(partition, partition.Position, all).Append(_scores.Advance(partition, partition.Position, all)));

    // The last round, and the last offsets of parts that were not touched by the last batches.
    private async Task Finish(CancellationToken stop)
    {
        var finish = FinishUnbounded();
        try
        {
            await (stop.IsCancellationRequested ? finish.WaitAsync(_context.Options.StopWait, _context.Time, CancellationToken.None) : finish);
        }
        catch (TimeoutException e) when (stop.IsCancellationRequested)
        {
            LogStopTooLong(e, Name, _context.Options.StopWait);
        }
    }

    private async Task FinishUnbounded()
    {
        await Task.WhenAll(_owned.Select(p => Advance(p, all: false)));
        await _rounds.Finish();
    }

    private PartitionFeed Open(OwnedPartition partition) => new(
        _context.Source, partition.Index, partition.Position, _context.Spec.Training.MicroBatch, _context.Options.ReadWait,
        _context.Time, _news.Set, _context.Logger);

    private async Task CloseFeeds()
    {
        foreach (var (_, feed) in _collector.Inputs)
        {
            await feed.DisposeAsync();
        }

        _collector.Reset([]);
    }

    private async Task Leave()
    {
        try
        {
            await _context.Parts.Federation.Leave(Name).AsTask().WaitAsync(LeaveWait, _context.Time, CancellationToken.None);
        }
        catch (Exception e)
        {
            LogLeave(e, Name);
        }
    }

    private void Refused(FeatureException e)
    {
        _context.Metrics.Refused(1);
        if (BitOperations.IsPow2(Progress.Refuse(1)))
        {
            LogRefused(Name, e.Message, Progress.Refused); // the first, and then ever fewer: the counter has them all
        }
    }

    private async Task Delay(TimeSpan wait, CancellationToken stop) =>
        await Task.Delay(wait, _context.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < TimeSpan.Zero ? b : b < TimeSpan.Zero || a < b ? a : b;
}
