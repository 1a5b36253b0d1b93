using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Monolith.Contracts.Specification;
using Monolith.Http;
using Monolith.Serving.Replica;
using Monolith.Serving.Scoring;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Monolith.Serving.Api;

/// <summary>Registers and maps everything that serving answers.</summary>
public static class ServingEndpoints
{
    /// <summary>Tag of health checks that <c>/health/ready</c> asks: unhealthy means that no traffic should come.</summary>
    public const string ReadyTag = "ready";

    /// <summary>Tag of health checks that <c>/health/live</c> asks: unhealthy means that the process should be restarted.</summary>
    public const string LiveTag = "live";

    // The exporter's default buckets are meant for milliseconds; ours are seconds, from 100 µs to 30 s.
    private static readonly double[] SecondsBuckets =
        [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

    /// <summary>
    /// Adds the replica of a model and what scores from it. Needs an <c>IConnectionMultiplexer</c>; once a process.
    /// </summary>
    public static IServiceCollection AddServing(
        this IServiceCollection services, ModelSpec spec, ReplicaOptions replica, ScoringOptions scoring)
    {
        ArgumentNullException.ThrowIfNull(spec);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(scoring);
        services.AddRequestBodies();
        services.AddSingleton<ScoringMetrics>();
        services.AddSingleton(replica);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ParameterReplica>(provider, spec));
        services.AddHostedService(provider => provider.GetRequiredService<ParameterReplica>());
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ModelScorer>(provider, spec));
        services.AddProblemDetails();
        services.AddHealthChecks().AddCheck<ReplicaHealth>("replica", tags: [ReadyTag]);
        services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("monolith")).WithMetrics(metrics => metrics
            .AddMeter("Monolith.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
            .AddView(instrument => instrument.Unit == "s" && instrument.GetType().GetGenericTypeDefinition() == typeof(Histogram<>)
                ? new ExplicitBucketHistogramConfiguration { Boundaries = SecondsBuckets }
                : null)
            .AddPrometheusExporter());
        return services;
    }

    /// <summary>
    /// Maps <c>POST /v1/models/{model}/score</c>, <c>GET /v1/models/{model}/status</c>, <c>/health/live</c>,
    /// <c>/health/ready</c> and <c>/metrics</c> (Prometheus).
    /// </summary>
    public static void MapServing(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var scorer = services.GetRequiredService<ModelScorer>();
        services.GetRequiredService<ScoringMetrics>().Watch(
            scorer.Spec.Name, services.GetRequiredService<ParameterReplica>(), services.GetRequiredService<TimeProvider>());
        endpoints.MapScoring();
        endpoints.MapStatus();
        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(LiveTag),
            ResponseWriter = WriteReasons,
        });
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(ReadyTag),
            ResponseWriter = WriteReasons,
        });
        endpoints.MapPrometheusScrapingEndpoint();
    }

    private static Task WriteReasons(HttpContext context, HealthReport report) => context.Response.WriteAsync(
        report.Entries.Count == 0 ? "Healthy\n" : string.Join('\n', report.Entries.Select(e => $"{e.Key}: {e.Value.Status} {e.Value.Description}".TrimEnd())) + "\n");
}
