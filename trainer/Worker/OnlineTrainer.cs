using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Parts;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Telemetry;

namespace Monolith.Trainer.Worker;

/// <summary>
/// Learns a model from a source with the workers of this process. <see cref="RunAsync"/> may be called once; history
/// completes it, a live source goes on until it is stopped.
/// </summary>
public sealed class OnlineTrainer : IDisposable
{
    private readonly WorkerContext _context;
    private readonly List<TrainingWorker> _workers = [];
    private readonly Lock _rate = new();
    private long _rateAt;
    private long _rateExamples;
    private int _started;

    /// <summary>Prepares the workers.</summary>
    /// <param name="spec">The model, validated.</param>
    /// <param name="parts">What learns.</param>
    /// <param name="source">Where examples come from.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    /// <param name="metrics">Figures.</param>
    /// <param name="sink">Sees every score before it is learned from; null: nobody.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="PlatformNotSupportedException">LibTorch cannot be loaded here.</exception>
    public OnlineTrainer(
        ModelSpec spec, ModelParts parts, IExampleSource source, TrainerOptions options, TimeProvider time,
        ILogger<OnlineTrainer> logger, TrainerMetrics metrics, IScoreSink? sink = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _context = new WorkerContext(spec, parts, source, sink, options.Validated(), time, metrics, logger);
        var owners = Enumerable.Range(0, source.Partitions).GroupBy(p => p % options.Workers);
        foreach (var owned in owners)
        {
            _workers.Add(new TrainingWorker(_context, $"{options.Name}-{owned.Key}", owned));
        }

        _rateAt = time.GetTimestamp();
    }

    /// <summary>How training is going. The rate is that since the last call.</summary>
    public TrainerStatus Status
    {
        get
        {
            var examples = _workers.Sum(w => w.Progress.Examples);
            return new TrainerStatus(
                examples,
                _workers.Sum(w => w.Progress.Batches),
                Rate(examples),
                _workers.Sum(w => w.Progress.Refused),
                _workers.Max(w => w.Progress.Round),
                Lag(),
                _workers.Sum(w => w.Progress.Failures),
                [.. _workers.Select(w => new WorkerStatus(w.Name, w.Progress.Examples, w.Progress.IsCaughtUp, w.Progress.LastError))]);
        }
    }

    /// <summary>Learns.</summary>
    /// <param name="stop">Stops cleanly: the micro-batches under way, a last round and the last offsets are delivered.</param>
    /// <returns>When history has ended, every partition has another owner, or it was stopped.</returns>
    /// <exception cref="InvalidOperationException">It ran before.</exception>
    /// <exception cref="Exception">History cannot be read, or its learning failed again and again.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new InvalidOperationException("a trainer runs once; make another");
        }

        // Over history nobody starts before all have joined: who is in a round must not depend on who is quick.
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var missing = _context.Source.IsHistory ? _workers.Count : 0;
        var complete = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task Joined()
        {
            if (Interlocked.Decrement(ref missing) <= 0)
            {
                complete.TrySetResult();
            }

            return complete.Task.WaitAsync(failed.Token);
        }

        async Task Run(TrainingWorker worker)
        {
            var joined = false;
            try
            {
                await worker.Run(() => joined ? Task.CompletedTask : Join(), failed.Token);
                Task Join()
                {
                    joined = true;
                    return Joined();
                }
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }

        await Task.WhenAll(_workers.Select(w => Task.Run(() => Run(w), CancellationToken.None)));
    }

    /// <summary>Frees the native memory of the networks; not before <see cref="RunAsync"/> has completed.</summary>
    public void Dispose() => _workers.ForEach(w => w.Dispose());

    private double Rate(long examples)
    {
        lock (_rate)
        {
            var seconds = _context.Time.GetElapsedTime(_rateAt).TotalSeconds;
            var rate = seconds > 0 ? (examples - _rateExamples) / seconds : 0;
            (_rateAt, _rateExamples) = (_context.Time.GetTimestamp(), examples);
            return rate;
        }
    }

    private TimeSpan Lag()
    {
        var now = _context.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var lag = _workers
            .Where(w => !w.Progress.IsCaughtUp && w.Progress.LearnedMs > 0)
            .Select(w => now - w.Progress.LearnedMs).DefaultIfEmpty(0).Max();
        return TimeSpan.FromMilliseconds(Math.Max(0, lag));
    }
}
