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

    /// <summary>Makes a joiner of a model.</summary>
    public Joiner(IEventLog log, ModelSpec spec, JoinerOptions options, TimeProvider time, ILogger<Joiner> logger)
    {
        _log = log;
        _spec = spec;
        _options = options;
        _time = time;
        _logger = logger;
        _metrics = new JoinerMetrics(() => _run?.PendingItems ?? 0, () => _run?.Waiting ?? 0);
    }

    /// <summary>How it does now.</summary>
    public async ValueTask<JoinerStatus> StatusAsync(CancellationToken cancellationToken = default)
    {
        var run = _run;
        var counts = new JoinCounts();
        lock (_lock)
        {
            counts.Add(_counts);
        }

        return new JoinerStatus(
            run is not null,
            run?.Partitions ?? 0,
            counts,
            run?.PendingItems ?? 0,
            run?.Waiting ?? 0,
            run?.WatermarkMs ?? 0,
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
        var rules = new JoinRules(_spec, await _log.PartitionsAsync(topics.Impressions, cancellationToken).ConfigureAwait(false));
        await using var run = new JoinerRun(_log, rules, _options, _time, _metrics, _logger, Committed);
        try
        {
            await run.StartAsync(cancellationToken).ConfigureAwait(false);
            _run = run;
            while (!cancellationToken.IsCancellationRequested)
            {
                await run.StepAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _run = null;
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
