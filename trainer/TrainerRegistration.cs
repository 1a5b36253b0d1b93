using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Parts;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Telemetry;
using Monolith.Trainer.Worker;

namespace Monolith.Trainer;

/// <summary>Brings the trainer into a host.</summary>
public static class TrainerRegistration
{
    /// <summary>
    /// Adds an <see cref="OnlineTrainer"/> that learns while the host runs. The host supplies the <see cref="ModelSpec"/>, an
    /// <see cref="IExampleSource"/> and an <see cref="IGrainFactory"/>; an <see cref="IScoreSink"/> is used if there is one.
    /// Add it after the silo: what was added last stops first, and a clean stop delivers the last round.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static IServiceCollection AddTrainer(this IServiceCollection services, TrainerOptions options)
    {
        services.AddTrainerCore(options);
        services.AddHostedService<TrainerService>();
        return services;
    }

    /// <summary>
    /// The same without a hosted service: whoever resolves the <see cref="OnlineTrainer"/> runs it, as a replay does.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static IServiceCollection AddTrainerCore(this IServiceCollection services, TrainerOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        options.Validated();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(s => new TrainerMetrics(s.GetService<IMeterFactory>()));
        services.AddSingleton(s => new OnlineTrainer(
            s.GetRequiredService<ModelSpec>(),
            ModelParts.Of(s.GetRequiredService<IGrainFactory>(), s.GetRequiredService<ModelSpec>()),
            s.GetRequiredService<IExampleSource>(),
            options,
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<OnlineTrainer>>(),
            s.GetRequiredService<TrainerMetrics>(),
            s.GetService<IScoreSink>()));
        return services;
    }

    private sealed class TrainerService(OnlineTrainer trainer) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => trainer.RunAsync(stoppingToken);
    }
}
