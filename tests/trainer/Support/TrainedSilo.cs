using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Hosting;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Worker;

namespace Monolith.Trainer.Tests.Support;

/// <summary>A real silo and the trainer in one host, as the product registers them.</summary>
internal sealed class TrainedSilo : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-trainer-");
    private readonly IHost _host;

    public TrainedSilo(ModelSpec spec, IExampleSource source, int workers, IScoreSink? sink = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Test" });
        builder.AddMonolithSilo(new MonolithSiloOptions { SnapshotFolder = _folder.FullName }, spec);
        builder.Services.AddSingleton(spec).AddSingleton(source).AddTrainerCore(new TrainerOptions { Workers = workers });
        if (sink is not null)
        {
            builder.Services.AddSingleton(sink);
        }

        _host = builder.Build();
        Spec = spec;
    }

    private ModelSpec Spec { get; }

    private IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Learns history to its end.</summary>
    public async Task Learn()
    {
        await _host.StartAsync(TestContext.Current.CancellationToken);
        await _host.Services.GetRequiredService<OnlineTrainer>().RunAsync(TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    public async Task<Quality> Quality() => (await Grains.GetGrain<IMetricsGrain>(Spec.Name).Report()).Tasks[0].Progressive;

    public async Task<float[]> Dense()
    {
        var state = await Grains.GetGrain<IFederationGrain>(Spec.Name).Join("observer", RoundMode.Deadline);
        return state.Parameters.As<float>().ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _folder.Delete(recursive: true);
    }
}
