using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Ingestion;
using Monolith.Serving.Api;
using Monolith.Serving.Replica;
using Monolith.Silos.Hosting;
using Monolith.Silos.Redis;
using Monolith.Standalone.CommandLine;
using Monolith.Trainer;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Worker;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// Everything in one process on embedded defaults: event log, Redis, a silo with the model's parts, serving, trainer workers,
/// joiner, HTTP API. Services start in the order in which they are added and stop in the reverse one, the HTTP API first of
/// all: intake, joiner, workers with their last round, replica, parts with their snapshots; then Redis and the log.
/// </summary>
public sealed class MonolithHost : IAsyncDisposable
{
    private static readonly TimeSpan StopBound = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ReadyBound = TimeSpan.FromMinutes(10);
    private readonly WebApplication _app;
    private readonly EmbeddedRedis _redis;
    private readonly EmbeddedEventLog _log;
    private bool _stopped;

    private MonolithHost(WebApplication app, EmbeddedRedis redis, EmbeddedEventLog log)
    {
        _app = app;
        _redis = redis;
        _log = log;
    }

    /// <summary>Where the HTTP API listens.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>The services, for whoever runs in this process.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>The event log.</summary>
    public IEventLog Log => _log;

    /// <summary>Cancelled when the host stops, or stops itself because a service of it failed for good.</summary>
    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    /// <summary>Starts everything; returns once requests are answered.</summary>
    /// <exception cref="HostStartException">It cannot start; the message says why and what to do.</exception>
    /// <exception cref="DataFolderException">The data folder does not fit the model.</exception>
    public static async Task<MonolithHost> StartAsync(MonolithHostOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Folder.CheckModel(options.Spec);
        Listening.RequireFree(options.Urls);
        using var loggers = LoggerFactory.Create(options.Logging);
        var log = new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = options.Folder.Log });
        EmbeddedRedis? redis = null;
        WebApplication? app = null;
        try
        {
            await ModelTopicsSetup.EnsureAsync(log, options.Spec, options.Partitions, options.Partitions, cancellation);
            var partitions = await log.PartitionsAsync(new ModelTopics(options.Spec.Name).Examples, cancellation);
            redis = EmbeddedRedis.Start();
            app = Compose(options, partitions, log, redis);
            await app.StartAsync(cancellation);
            await Ready(app, cancellation);
            return new MonolithHost(app, redis, log);
        }
        catch (Exception exception)
        {
            await Release(app, redis, log);
            if (exception is IOException && exception.InnerException is AddressInUseException)
            {
                throw Taken(options.Urls, exception);
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
            await _app.StopAsync(bound.Token);
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
            await Release(_app, _redis, _log);
        }
    }

    private static WebApplication Compose(MonolithHostOptions options, int partitions, EmbeddedEventLog log, EmbeddedRedis redis)
    {
        // The content root holds no settings of anybody's: where the command is started changes nothing.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        var (spec, folder) = (options.Spec, options.Folder);
        builder.Logging.ClearProviders();
        options.Logging(builder.Logging);
        builder.WebHost.UseUrls(options.Urls);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopBound);
        builder.Services.AddSingleton<IEventLog>(log);
        builder.AddMonolithSilo(
            new MonolithSiloOptions { SnapshotFolder = folder.Snapshots, Redis = redis.ConnectionString }, spec);
        builder.Services.AddServing(spec, new ReplicaOptions { SnapshotFolder = folder.Snapshots }, new ScoringOptions());
        builder.Services.AddSingleton(spec);
        builder.Services.AddSingleton<IExampleSource>(
            new EventLogExampleSource(log, new ModelTopics(spec.Name).Examples, partitions));
        builder.Services.AddTrainer(new TrainerOptions { Workers = options.Workers });
        builder.Services.AddHostedService<LogFloor>();
        builder.Services.AddJoiner(spec);
        builder.Services.AddIngestion(spec);
        builder.Services.AddSingleton<ITrainingStatusSource, TrainingStatusSource>();
        var app = builder.Build();
        app.MapServing();
        app.MapIngestion();
        return app;
    }

    private static HostStartException Taken(string urls, Exception? inner) =>
        new($"{urls} is in use by another program: stop that program, or listen elsewhere with --urls", inner);

    private static async Task<bool> IsTaken(Uri url, CancellationToken cancellation)
    {
        if (url.Port == 0)
        {
            return false;
        }

        foreach (var address in await Dns.GetHostAddressesAsync(url.DnsSafeHost, cancellation))
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(address, url.Port));
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                return true;
            }
        }

        return false;
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

    private static async Task Release(WebApplication? app, EmbeddedRedis? redis, EmbeddedEventLog log)
    {
        if (app is not null)
        {
            // Disposed without having been stopped, services would find each other gone. Stopping twice does nothing.
            await app.StopAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await app.DisposeAsync();
        }

        redis?.Dispose();
        await log.DisposeAsync();
    }
}

/// <summary>The host cannot start; the message says why and what to do.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">What went wrong underneath.</param>
public sealed class HostStartException(string message, Exception? inner = null) : OperatorException(message, inner);
