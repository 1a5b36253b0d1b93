using Microsoft.Extensions.Diagnostics.HealthChecks;
using Monolith.Serving.Replica;

namespace Monolith.Serving.Api;

/// <summary>
/// Ready once the replica has parameters. It stays ready when the shards cannot be heard of: serving goes on from what it
/// has, and says how old that is.
/// </summary>
internal sealed class ReplicaHealth(ParameterReplica replica) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(replica.IsReady
            ? HealthCheckResult.Healthy(FormattableString.Invariant(
                $"last contact with the shards {replica.SinceContact.TotalSeconds:0.0} s ago{(replica.Trouble is { } trouble ? $"; they cannot be followed: {trouble}" : "")}"))
            : HealthCheckResult.Unhealthy(
                replica.Trouble is { } cause ? $"the parameters cannot be loaded: {cause}" : "the parameters are still loading"));
}
