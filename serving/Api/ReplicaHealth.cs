using Microsoft.Extensions.Diagnostics.HealthChecks;
using Monolith.Serving.Replica;

namespace Monolith.Serving.Api;

/// <summary>
/// Ready once the replica has parameters. It stays ready when the shards cannot be heard of: serving goes on from what it
/// has, and says how old that is.
/// </summary>
internal sealed class ReplicaHealth(ParameterReplica replica) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var trouble = replica.Trouble;
        if (!replica.IsReady)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy(
                trouble is null ? "the parameters are still loading" : $"the parameters cannot be loaded: {trouble}"));
        }

        var contact = FormattableString.Invariant($"last contact with the shards {replica.SinceContact.TotalSeconds:0.0} s ago");
        return Task.FromResult(HealthCheckResult.Healthy(
            trouble is null ? contact : $"{contact}; they cannot be followed: {trouble}"));
    }
}
