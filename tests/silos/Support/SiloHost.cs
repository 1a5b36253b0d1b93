using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Hosting;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Tests.Support;

/// <summary>A real silo in this process, as the product registers it.</summary>
public sealed class SiloHost(IHost host) : IAsyncDisposable
{
    private bool _gone;

    public IServiceProvider Services => host.Services;

    public IGrainFactory Grains => host.Services.GetRequiredService<IGrainFactory>();

    public static async Task<SiloHost> StartAsync(MonolithSiloOptions options, ModelSpec spec, Action<HostApplicationBuilder>? more = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Test" });
        builder.Logging.AddProvider(new TestLogProvider()).SetMinimumLevel(LogLevel.Warning);
        builder.AddMonolithSilo(options, spec);
        more?.Invoke(builder);
        var host = builder.Build();
        await host.StartAsync();
        return new SiloHost(host);
    }

    public IEmbeddingShardGrain Shard(ModelSpec spec, int shard) =>
        Grains.GetGrain<IEmbeddingShardGrain>(PartIdentity.ShardKey(spec.Name, shard));

    public IFederationGrain Federation(ModelSpec spec) => Grains.GetGrain<IFederationGrain>(spec.Name);

    public IMetricsGrain Metrics(ModelSpec spec) => Grains.GetGrain<IMetricsGrain>(spec.Name);

    /// <summary>Whether a grain is active on this silo.</summary>
    public async Task<bool> HoldsAsync(IAddressable grain)
    {
        var address = await Grains.GetGrain<IManagementGrain>(0).GetActivationAddress(grain);
        return address is not null && address.Equals(Services.GetRequiredService<ILocalSiloDetails>().SiloAddress);
    }

    /// <summary>It goes without saving or saying anything.</summary>
    public async Task KillAsync()
    {
        _gone = true;
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await host.StopAsync(now.Token);
        host.Dispose();
    }

    /// <summary>A clean stop.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_gone)
        {
            _gone = true;
            await host.StopAsync();
            host.Dispose();
        }
    }
}
