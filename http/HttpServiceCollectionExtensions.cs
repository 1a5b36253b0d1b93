using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Monolith.Http;

/// <summary>Registers what all routes of a process share.</summary>
public static class HttpServiceCollectionExtensions
{
    /// <summary>Adds the one <see cref="RequestBodies"/> of the process, with the default limits unless others are registered.</summary>
    public static IServiceCollection AddRequestBodies(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new BodyLimits());
        services.TryAddSingleton<RequestBodies>();
        return services;
    }
}
