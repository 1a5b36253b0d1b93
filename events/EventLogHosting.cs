using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monolith.Events.Embedded;
using Monolith.Events.Kafka;

namespace Monolith.Events;

/// <summary>Puts an event log into a host as <see cref="IEventLog"/>.</summary>
public static class EventLogHosting
{
    /// <summary>The embedded log in its folder; opened when it is first asked for, closed with the host.</summary>
    public static IServiceCollection AddEmbeddedEventLog(this IServiceCollection services, EmbeddedEventLogOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        return services.AddSingleton<IEventLog>(s => new EmbeddedEventLog(
            options,
            s.GetService<ILogger<EmbeddedEventLog>>()));
    }

    /// <summary>A Kafka cluster.</summary>
    public static IServiceCollection AddKafkaEventLog(this IServiceCollection services, KafkaEventLogOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        return services.AddSingleton<IEventLog>(s => new KafkaEventLog(options, s.GetService<ILogger<KafkaEventLog>>()));
    }
}
