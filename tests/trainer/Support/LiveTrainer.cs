using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Telemetry;
using Monolith.Trainer.Worker;

namespace Monolith.Trainer.Tests.Support;

/// <summary>A trainer that runs until the test is over.</summary>
internal sealed class LiveTrainer : IAsyncDisposable
{
    private readonly TrainerMetrics _metrics = new();
    private readonly CancellationTokenSource _stop = new();

    public LiveTrainer(ModelSpec spec, FakeModel model, IExampleSource source, TrainerOptions? options = null, IScoreSink? sink = null)
    {
        Trainer = new OnlineTrainer(
            spec, model.Parts, source, options ?? Options(1), TimeProvider.System, NullLogger<OnlineTrainer>.Instance, _metrics, sink);
        Run = Trainer.RunAsync(_stop.Token);
    }

    public OnlineTrainer Trainer { get; }

    public Task Run { get; }

    public static TrainerOptions Options(int workers) => new()
    {
        Workers = workers,
        ReadWait = TimeSpan.FromMilliseconds(10),
        Heartbeat = TimeSpan.FromMilliseconds(30),
        RetryWait = TimeSpan.FromMilliseconds(1),
        RetryWaitMax = TimeSpan.FromMilliseconds(10),
        RetakeWait = TimeSpan.FromMilliseconds(200),
        HistoryFailuresMax = 3,
    };

    /// <summary>A clean stop.</summary>
    public async Task Stop()
    {
        await _stop.CancelAsync();
        await Run.WaitAsync(TimeSpan.FromSeconds(20));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Run.WaitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Trainer.Dispose();
        _metrics.Dispose();
        _stop.Dispose();
    }
}
