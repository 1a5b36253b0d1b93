using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Silos.Hosting;
using Monolith.Standalone.Hosting;
using Monolith.Trainer.Parts;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Telemetry;
using Monolith.Trainer.Worker;

namespace Monolith.Standalone.Replay;

/// <summary>What a replay runs on, in this process: a silo with the model's parts, and the trainer. No Redis, no HTTP.</summary>
internal sealed class ReplayHost : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly ModelSpec _spec;
    private readonly ModelParts _parts;
    private readonly OnlineTrainer _trainer;

    private ReplayHost(IHost host, ModelSpec spec, OnlineTrainer trainer, ModelParts parts)
    {
        _host = host;
        _spec = spec;
        _trainer = trainer;
        _parts = parts;
    }

    /// <summary>How training is going.</summary>
    public TrainerStatus Status => _trainer.Status;

    /// <summary>Starts the silo, which restores what the folder holds.</summary>
    public static async Task<ReplayHost> StartAsync(
        ModelSpec spec, IExampleSource source, IScoreSink scores, int workers, DataFolder folder, CancellationToken cancellation)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Orleans", LogLevel.Error).AddSimpleConsole(o => o.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<TrainerMetrics>();
        builder.AddMonolithSilo(new MonolithSiloOptions { SnapshotFolder = folder.Snapshots }, spec);
        var host = builder.Build();
        try
        {
            await host.StartAsync(cancellation);
            var services = host.Services;
            var parts = ModelParts.Of(services.GetRequiredService<IGrainFactory>(), spec);
            var trainer = new OnlineTrainer(
                spec, parts, source, new TrainerOptions { Workers = workers }, services.GetRequiredService<TimeProvider>(),
                services.GetRequiredService<ILogger<OnlineTrainer>>(), services.GetRequiredService<TrainerMetrics>(), scores);
            return new ReplayHost(host, spec, trainer, parts);
        }
        catch
        {
            await StopAsync(host);
            throw;
        }
    }

    /// <summary>Learns to the end of the file, or until it is stopped.</summary>
    /// <exception cref="OperationCanceledException">It was stopped, cleanly.</exception>
    public async Task LearnAsync(CancellationToken stop)
    {
        await _trainer.RunAsync(stop);
        stop.ThrowIfCancellationRequested();
    }

    /// <summary>Progressive AUC of the first task so far; null while one class is missing.</summary>
    public async ValueTask<double?> AucAsync()
    {
        var report = await _parts.Metrics.Report();
        return report.Tasks is [{ Progressive.Auc: var auc }, ..] && double.IsFinite(auc) ? auc : null;
    }

    /// <summary>Rows by table.</summary>
    public async Task<IReadOnlyDictionary<string, long>> RowsAsync()
    {
        var shards = await Task.WhenAll(_parts.Shards.Select(s => s.Status().AsTask()));
        return _spec.Tables.Index().ToDictionary(t => t.Item.Name, t => shards.Sum(s => s.Rows[t.Index]));
    }

    /// <summary>Saves every part, with the offsets it has learned through.</summary>
    public Task SaveAsync() => Task.WhenAll(_parts.All.Select(p => p.Save()));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _trainer.Dispose();
        await StopAsync(_host);
    }

    private static async Task StopAsync(IHost host)
    {
        await host.StopAsync();
        if (host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
    }
}
