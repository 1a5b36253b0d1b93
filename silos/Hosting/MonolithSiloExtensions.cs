using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Silos.Federation;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Monolith.Silos.Redis;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Monolith.Silos.Hosting;

/// <summary>Puts a silo with a model's parts into a host.</summary>
public static class MonolithSiloExtensions
{
    /// <summary>
    /// Adds a silo that holds the parts of these models (or its share of them in a cluster): shards, dense parameters,
    /// metrics. Grains are then called through the host's <c>IGrainFactory</c>. Add workers after it, so that they stop first.
    /// </summary>
    /// <exception cref="ArgumentException">The options are wrong; the message says all that is.</exception>
    public static IHostApplicationBuilder AddMonolithSilo(
        this IHostApplicationBuilder builder, MonolithSiloOptions options, params IReadOnlyList<ModelSpec> models)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        builder.UseOrleans(silo => silo.UseMonolithCluster(options).AddMonolithParts(options, models));
        return builder;
    }

    /// <summary>The parts alone, on a silo whose clustering is configured elsewhere.</summary>
    public static ISiloBuilder AddMonolithParts(
        this ISiloBuilder silo, MonolithSiloOptions options, params IReadOnlyList<ModelSpec> models)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var services = silo.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelRegistry>(new ModelRegistry(models));
        services.TryAddSingleton<SiloMetrics>();
        if (options.Redis is { } redis)
        {
            services.TryAddSingleton<IConnectionMultiplexer>(_ => Connect(redis));
        }

        services.TryAddSingleton(s => new PartServices(
            s.GetRequiredService<IModelRegistry>(),
            Path.GetFullPath(options.SnapshotFolder),
            options.Redis is null ? null : s.GetRequiredService<IConnectionMultiplexer>(),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<SiloMetrics>(),
            s.GetRequiredService<ILoggerFactory>()));
        services.AddHostedService<PartActivator>();
        services.Configure<HostOptions>(o => o.ShutdownTimeout = Longer(o.ShutdownTimeout, options.StopTimeout));

        silo.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = Longer(options.CallTimeout, FederationGrain.LockstepPatience + TimeSpan.FromSeconds(5)));
        silo.Configure<GrainCollectionOptions>(o =>
        {
            // Restoring and saving a large part takes as long as the disk does.
            o.ActivationTimeout = Longer(o.ActivationTimeout, TimeSpan.FromMinutes(5));
            o.DeactivationTimeout = Longer(o.DeactivationTimeout, options.StopTimeout);
        });
        return silo;
    }

    /// <summary>How silos find each other.</summary>
    private static ISiloBuilder UseMonolithCluster(this ISiloBuilder silo, MonolithSiloOptions options)
    {
        var siloPort = options.SiloPort == 0 ? EmbeddedRedis.FreePort() : options.SiloPort;
        if (!options.Clustered)
        {
            silo.UseLocalhostClustering(siloPort, options.GatewayPort, null, options.ClusterId, options.ClusterId);
            return silo.Configure<EndpointOptions>(o =>
            {
                o.SiloListeningEndpoint = new IPEndPoint(IPAddress.Loopback, siloPort);
                o.GatewayListeningEndpoint = options.GatewayPort == 0 ? null : new IPEndPoint(IPAddress.Loopback, options.GatewayPort);
            });
        }

        var gatewayPort = options.GatewayPort == 0 ? EmbeddedRedis.FreePort() : options.GatewayPort;
        silo.UseRedisClustering(o => o.ConfigurationOptions = ConfigurationOptions.Parse(options.Redis!));

        // With the default directory a part may be activated a second time while a silo joins: its lease keeps that from doing
        // harm, but what it had learned since its snapshot would have to be learned again.
#pragma warning disable ORLEANSEXP003 // experimental
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.ClusterId, options.ClusterId));
        return silo.ConfigureEndpoints(options.Address ?? IPAddress.Loopback, siloPort, gatewayPort, listenOnAnyHostAddress: false);
    }

    private static ConnectionMultiplexer Connect(string redis)
    {
        var configuration = ConfigurationOptions.Parse(redis);
        configuration.AbortOnConnectFail = false; // parts learn on while Redis is away, also from the start
        configuration.BacklogPolicy = BacklogPolicy.FailFast; // and try again by themselves
        return ConnectionMultiplexer.Connect(configuration);
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
