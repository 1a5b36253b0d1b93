using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Http;
using Monolith.Ingestion.Api;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion;

/// <summary>Puts ingestion into a host. An <see cref="IEventLog"/> must be registered.</summary>
public static class IngestionHosting
{
    /// <summary>Registers what <see cref="MapIngestion"/> answers with.</summary>
    public static IServiceCollection AddIngestion(this IServiceCollection services, ModelSpec spec, IngestionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(spec);
        services.AddRequestBodies();
        return services.AddSingleton(s => new EventIngest(
            s.GetRequiredService<IEventLog>(),
            s.GetRequiredService<RequestBodies>(),
            spec,
            options ?? new IngestionOptions(),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<EventIngest>>()));
    }

    /// <summary>
    /// Registers the model's joiner and runs it with the host; <see cref="Joiner.StatusAsync"/> of the registered
    /// <see cref="Joiner"/> says how it does.
    /// </summary>
    public static IServiceCollection AddJoiner(this IServiceCollection services, ModelSpec spec, JoinerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(spec);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(s => new Joiner(
            s.GetRequiredService<IEventLog>(),
            spec,
            options ?? new JoinerOptions(),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<Joiner>>()));
        return services.AddHostedService(s => s.GetRequiredService<Joiner>());
    }

    /// <summary>Maps <c>POST /v1/impressions</c> and <c>POST /v1/actions</c>.</summary>
    public static IEndpointRouteBuilder MapIngestion(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var ingest = routes.ServiceProvider.GetRequiredService<EventIngest>();
        routes.MapPost("/v1/impressions", (Delegate)ingest.ImpressionsAsync).WithName("PostImpressions");
        routes.MapPost("/v1/actions", (Delegate)ingest.ActionsAsync).WithName("PostActions");
        return routes;
    }
}
