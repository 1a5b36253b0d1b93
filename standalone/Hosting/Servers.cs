using Microsoft.Extensions.Logging;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Events.Kafka;
using Monolith.Silos.Redis;
using StackExchange.Redis;

namespace Monolith.Standalone.Hosting;

/// <summary>The servers that take the place of embedded parts.</summary>
public sealed record ServerOptions
{
    /// <summary>Nothing but embedded parts.</summary>
    public static ServerOptions Embedded { get; } = new();

    /// <summary>Kafka brokers, <c>host:port</c>, separated by commas; null: the embedded event log in the data folder.</summary>
    public string? Kafka { get; init; }

    /// <summary>Further settings of the Kafka client, by librdkafka's names (SASL, TLS and others).</summary>
    public IReadOnlyDictionary<string, string> KafkaSettings { get; init; } = new Dictionary<string, string>();

    /// <summary>Redis, as StackExchange.Redis writes it (<c>host:port</c>, options after commas); null: the embedded server.</summary>
    public string? Redis { get; init; }
}

/// <summary>The event log and Redis of a host: embedded ones, or connections to servers that were found to answer.</summary>
internal sealed class Servers : IAsyncDisposable
{
    /// <summary>A server that does not answer within this time at the start is not there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly EmbeddedRedis? _embeddedRedis;

    private Servers(IEventLog log, EmbeddedRedis? embeddedRedis, string redis)
    {
        Log = log;
        _embeddedRedis = embeddedRedis;
        Redis = redis;
    }

    /// <summary>The event log.</summary>
    public IEventLog Log { get; }

    /// <summary>Redis, for StackExchange.Redis.</summary>
    public string Redis { get; }

    /// <summary>Starts what is embedded and finds out whether the rest answers.</summary>
    /// <param name="options">What takes the place of embedded parts.</param>
    /// <param name="folder">The data folder.</param>
    /// <param name="denseBytes">Size of the model's dense parameters, which an embedded Redis must have room for.</param>
    /// <param name="loggers">For the event log; outlives it.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="HostStartException">A server does not answer; the message names its address.</exception>
    /// <exception cref="DataFolderException">The folder has learned from another log.</exception>
    public static async Task<Servers> StartAsync(
        ServerOptions options, DataFolder folder, long denseBytes, ILoggerFactory loggers, CancellationToken cancellation)
    {
        // The one that is quick to say no comes first.
        if (options.Redis is { } redis)
        {
            await RequireRedis(redis);
        }

        var log = await OpenLog(options, folder, loggers, cancellation);
        try
        {
            var embedded = options.Redis is null ? EmbeddedRedis.Start(denseBytes: denseBytes) : null;
            return new Servers(log, embedded, options.Redis ?? embedded!.ConnectionString);
        }
        catch
        {
            await log.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _embeddedRedis?.Dispose();
        return Log.DisposeAsync();
    }

    private static async Task<IEventLog> OpenLog(
        ServerOptions options, DataFolder folder, ILoggerFactory loggers, CancellationToken cancellation)
    {
        if (options.Kafka is not { } brokers)
        {
            folder.CheckLog("embedded");
            try
            {
                return new EmbeddedEventLog(
                    new EmbeddedEventLogOptions { Folder = folder.Log }, loggers.CreateLogger<EmbeddedEventLog>());
            }
            catch (EventLogException failure)
            {
                throw new HostStartException(failure.Message, failure);
            }
        }

        KafkaEventLog? log = null;
        try
        {
            log = OpenKafka(options);
            folder.CheckLog($"kafka {await log.IdentifyAsync(Patience, cancellation)}");
            return log;
        }
        catch (Exception exception)
        {
            if (log is not null)
            {
                await log.DisposeAsync();
            }

            throw exception is EventLogException failure ? new HostStartException($"--kafka {brokers}: {failure.Message}", failure) : exception;
        }
    }

    /// <summary>A client of the Kafka cluster that the options name.</summary>
    public static KafkaEventLog OpenKafka(ServerOptions options) =>
        new(new KafkaEventLogOptions { BootstrapServers = options.Kafka!, Settings = options.KafkaSettings });

    private static async Task RequireRedis(string redis)
    {
        // What is printed are the addresses: a password may stand beside them.
        var configuration = ConfigurationOptions.Parse(redis);
        var addresses = string.Join(',', configuration.EndPoints.Select(e => EndPointCollection.ToString(e)));
        configuration.AbortOnConnectFail = true;
        configuration.ConnectRetry = 1;
        configuration.ConnectTimeout = (int)Patience.TotalMilliseconds;
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(configuration);
            await connection.GetDatabase().PingAsync();
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            var why = exception is RedisConnectionException failed ? failed.FailureType.ToString() : exception.Message;
            throw new HostStartException(
                $"--redis {addresses}: no Redis answers there ({why}): is it running, and are password and TLS as it wants them?", exception);
        }
    }
}
