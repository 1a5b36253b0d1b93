using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Events;

namespace Monolith.Ingestion.Joining;

/// <summary>
/// The online joiner: turns a model's impressions and actions into examples, each exactly once. One loop owns some of the
/// partitions: it reads a batch, joins it, and commits outputs, journal and offsets as one transaction.
/// </summary>
public sealed partial class Joiner : BackgroundService
{
    private static readonly TimeSpan LagEvery = TimeSpan.FromSeconds(5);
    private readonly IEventLog _log;
    private readonly ModelSpec _spec;
    private readonly JoinerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<Joiner> _logger;
    private readonly JoinerMetrics _metrics;
    private readonly JoinCounts _counts = new();
    private readonly Lock _lock = new();
    private JoinerRun? _run;
    private string? _lastError;
    private bool _fenced;
    private long _lag = -1;

    /// <summary>Makes a joiner of a model.</summary>
    public Joiner(IEventLog log, ModelSpec spec, JoinerOptions options, TimeProvider time, ILogger<Joiner> logger)
    {
        _log = log;
        _spec = spec;
        _options = options;
        _time = time;
        _logger = logger;
        _metrics = new JoinerMetrics(() => _run?.View, () => Volatile.Read(ref _lag), time);
    }

    internal Meter Meter => _metrics.Meter;

    /// <summary>How it does now.</summary>
    public async ValueTask<JoinerStatus> StatusAsync(CancellationToken cancellationToken = default)
    {
        var run = _run;
        var view = run?.View;
        var counts = new JoinCounts();
        lock (_lock)
        {
            counts.Add(_counts);
        }

        return new JoinerStatus(
            run is not null,
            view?.Partitions ?? 0,
            counts,
            view?.PendingItems ?? 0,
            view?.Waiting ?? 0,
            view?.WatermarkMs ?? 0,
            run is null ? -1 : await run.LagAsync(cancellationToken).ConfigureAwait(false),
            _lastError);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _metrics.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Off the host's start-up path.
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is EventLogException or IOException or UnauthorizedAccessException)
            {
                _lastError = e.Message;
                if (e is FencedException)
                {
                    // Two joiners of one name take over from each other for ever: said once, not each second.
                    if (!_fenced)
                    {
                        LogFenced(_options.Name, _spec.Name, e.Message);
                    }

                    _fenced = true;
                }
                else
                {
                    LogStartingOver(e, _options.RetryDelay.TotalSeconds);
                }

                await Task.Delay(_options.RetryDelay, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        await ModelTopicsSetup.EnsureAsync(_log, _spec, _options.InputPartitions, _options.ExamplePartitions, cancellationToken).ConfigureAwait(false);
        var topics = new ModelTopics(_spec.Name);
        var partitions = await _log.PartitionsAsync(topics.Impressions, cancellationToken).ConfigureAwait(false);
        var rules = new JoinRules(_spec, partitions, _log.MaxRecordBytes);
        await using var run = new JoinerRun(_log, rules, _options, _time, _metrics, _logger, Committed);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = Task.CompletedTask;
        try
        {
            await run.StartAsync(cancellationToken).ConfigureAwait(false);
            _run = run;
            watching = WatchLagAsync(run, ended.Token);
            while (!cancellationToken.IsCancellationRequested)
            {
                await run.StepAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _run = null;
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Beside the loop, which must not wait for it: the log is asked, and a loop that stands still is what the lag must show.</summary>
    private async Task WatchLagAsync(JoinerRun run, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LagEvery, _time);
        try
        {
            do
            {
                Volatile.Write(ref _lag, _metrics.IsLagRead ? await TryLagAsync(run, cancellationToken).ConfigureAwait(false) : -1);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            Volatile.Write(ref _lag, -1);
        }
    }

    private static async Task<long> TryLagAsync(JoinerRun run, CancellationToken cancellationToken)
    {
        try
        {
            return await run.LagAsync(cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (EventLogException)
        {
            return -1;
        }
    }

    private void Committed(JoinCounts counts, TimeSpan duration)
    {
        lock (_lock)
        {
            _counts.Add(counts);
        }

        _metrics.Committed(counts, duration);
        if (counts.DeadLetters > 0)
        {
            LogDeadLetters(counts.DeadLetters, new ModelTopics(_spec.Name).DeadLetters);
        }

        if (counts.Rerouted > 0)
        {
            LogRerouted(counts.Rerouted);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The joiner starts over in {Seconds} s")]
    private partial void LogStartingOver(Exception exception, double seconds);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Something took over from joiner '{Name}' of model '{Model}' ({Reason}) It starts over; should that go on, two services run the model on "
            + "this log with joiners of one name: give each joiner its own name, or each service its own model. This is said once")]
    private partial void LogFenced(string name, string model, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} records could not be used and lie in {Topic} with the reason")]
    private partial void LogDeadLetters(long count, string topic);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} records lay on a partition that their request does not belong to and were moved; set partitioner=murmur2_random in the client that writes them")]
    private partial void LogRerouted(long count);
}
