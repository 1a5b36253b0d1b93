using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Network;
using Monolith.Events;
using Monolith.Ingestion;
using Monolith.Ingestion.Joining;
using Monolith.Serving.Api;
using Monolith.Serving.Replica;
using Monolith.Silos.Hosting;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.DeadLetters;
using Monolith.Standalone.Tables;
using Monolith.Trainer;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Worker;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// Everything in one process: event log and Redis (embedded, or connections to servers), a silo with the model's parts, serving,
/// trainer workers, joiner, HTTP API. Services start in the order in which they are added and stop in the reverse one, the HTTP API first of
/// all: intake, joiner, workers with their last round, replica, parts with their snapshots; then Redis and the log.
/// </summary>
public sealed class MonolithHost : IAsyncDisposable
{
    private static readonly TimeSpan StopBound = TimeSpan.FromMinutes(2);

    // For whatever does not heed that bound: a disk that hangs, a client library that waits.
    private static readonly TimeSpan ReleaseBound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReadyBound = TimeSpan.FromMinutes(10);
    private readonly WebApplication _app;
    private readonly Servers _servers;
    private bool _stopped;

    private MonolithHost(WebApplication app, Servers servers)
    {
        _app = app;
        _servers = servers;
    }

    /// <summary>Where the HTTP API listens; the first place where there are several.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>All places where the HTTP API listens.</summary>
    public IEnumerable<Uri> Addresses => _app.Urls.Select(url => new Uri(url));

    /// <summary>The services, for whoever runs in this process.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>The event log.</summary>
    public IEventLog Log => _servers.Log;

    /// <summary>Cancelled when the host stops, or stops itself because a service of it failed for good.</summary>
    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    /// <summary>Starts everything; returns once requests are answered.</summary>
    /// <exception cref="HostStartException">It cannot start; the message says why and what to do.</exception>
    /// <exception cref="DataFolderException">The data folder does not fit the model.</exception>
    public static async Task<MonolithHost> StartAsync(MonolithHostOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Folder.CheckModel(options.Spec);
        var listening = Listening.Parse(options.Urls);
        foreach (var address in listening)
        {
            Listening.RequireFree(address);
        }

        var loggers = LoggerFactory.Create(options.Logging); // the log's: lives as long as that does
        var denseBytes = sizeof(float) * (long)DenseLayout.Of(options.Spec).Length;
        var servers = await Servers.StartAsync(options.Servers, options.Folder, denseBytes, loggers, cancellation);
        WebApplication? app = null;
        try
        {
            var log = servers.Log;
            await ModelTopicsSetup.EnsureAsync(log, options.Spec, options.Partitions, options.Partitions, cancellation);
            var partitions = await log.PartitionsAsync(new ModelTopics(options.Spec.Name).Examples, cancellation);
            app = Compose(options, listening, partitions, servers);
            await app.StartAsync(cancellation);
            await Ready(app, cancellation);
            return new MonolithHost(app, servers);
        }
        catch (Exception exception)
        {
            await Release(app, servers);
            if (exception is EventLogException)
            {
                throw new HostStartException(exception.Message, exception);
            }

            if (exception is IOException && exception.InnerException is AddressInUseException)
            {
                throw Listening.InUse(options.Urls, exception);
            }

            throw;
        }
    }

    /// <summary>Stops everything in order; what was acknowledged is kept. Bounded.</summary>
    public async Task StopAsync()
    {
        if (!_stopped)
        {
            _stopped = true;
            using var bound = new CancellationTokenSource(StopBound);
            await _app.StopAsync(bound.Token).WaitAsync(StopBound + ReleaseBound);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
        }
        finally
        {
            await Release(_app, _servers);
        }
    }

    private static WebApplication Compose(
        MonolithHostOptions options, IReadOnlyList<ListeningAddress> listening, int partitions, Servers servers)
    {
        // The content root holds no settings of anybody's: where the command is started changes nothing.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        var (spec, folder) = (options.Spec, options.Folder);
        builder.Logging.ClearProviders();
        options.Logging(builder.Logging);
        builder.WebHost.UseUrls([.. listening.Select(a => a.Url)]);
        builder.WebHost.ConfigureKestrel(HttpLimits.Apply);
        builder.Services.AddExceptionHandler<UnexpectedErrors>();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopBound);
        builder.Services.AddSingleton(servers.Log);
        builder.Services.AddHealthChecks().AddCheck<EventLogHealth>(
            "event log", tags: [ServingEndpoints.LiveTag, ServingEndpoints.ReadyTag]);
        builder.AddMonolithSilo(
            new MonolithSiloOptions { SnapshotFolder = folder.Snapshots, Redis = servers.Redis }, spec);
        builder.Services.AddServing(spec, new ReplicaOptions { SnapshotFolder = folder.Snapshots }, new ScoringOptions());
        builder.Services.AddSingleton(spec);
        builder.Services.AddSingleton<IExampleSource>(
            new EventLogExampleSource(servers.Log, new ModelTopics(spec.Name).Examples, partitions));
        builder.Services.AddTrainer(new TrainerOptions { Workers = options.Workers });
        builder.Services.AddHostedService<LogFloor>();
        builder.Services.AddJoiner(spec, new JoinerOptions { StateFolder = folder.Joiner });
        builder.Services.AddIngestion(spec);
        builder.Services.AddSingleton<ITrainingStatusSource, TrainingStatusSource>();
        var app = builder.Build();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.MapServing();
        app.MapIngestion();
        app.MapDeadLetters(spec, servers.Log);
        app.MapTables(spec, app.Services.GetRequiredService<IGrainFactory>());
        return app;
    }

    // Requests are answered from the first moment, but with "not ready" until the replica has found the parameters.
    private static async Task Ready(WebApplication app, CancellationToken cancellation)
    {
        var replica = app.Services.GetRequiredService<ParameterReplica>();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, app.Lifetime.ApplicationStopping);
        either.CancelAfter(ReadyBound);
        try
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            while (!replica.IsReady)
            {
                await timer.WaitForNextTickAsync(either.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new HostStartException("the parameters could not be restored or published; the log says why");
        }
    }

    private static async Task Release(WebApplication? app, Servers servers)
    {
        if (app is not null)
        {
            // Disposed without having been stopped, services would find each other gone. Stopping twice does nothing.
            using var bound = new CancellationTokenSource(StopBound);
            await app.StopAsync(bound.Token).WaitAsync(StopBound + ReleaseBound).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await app.DisposeAsync().AsTask().WaitAsync(ReleaseBound);
        }

        // Closing Redis and the log blocks its thread.
        await Task.Run(() => servers.DisposeAsync().AsTask()).WaitAsync(ReleaseBound);
    }
}

/// <summary>The host cannot start; the message says why and what to do.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">What went wrong underneath.</param>
public sealed class HostStartException(string message, Exception? inner = null) : OperatorException(message, inner);
