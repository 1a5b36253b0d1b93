using Microsoft.Extensions.Diagnostics.HealthChecks;
using Monolith.Events;
using Monolith.Events.Embedded;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// Degraded while the embedded log cannot write and tries again by itself: scoring goes on, and a restart would not help.
/// Unhealthy where only a restart, or a person, can help.
/// </summary>
internal sealed class EventLogHealth(IEventLog log) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult((log as EmbeddedEventLog)?.Trouble is not { } trouble ? HealthCheckResult.Healthy()
            : trouble.IsHopeless ? HealthCheckResult.Unhealthy(trouble.Reason)
            : HealthCheckResult.Degraded(trouble.Reason));
}
