using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Monolith.Contracts.Specification;
using Monolith.Serving.Replica;
using Monolith.Serving.Scoring;

namespace Monolith.Serving.Api;

/// <summary><c>GET /v1/models/{model}/status</c>.</summary>
internal static class StatusEndpoint
{
    public static void MapStatus(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var scorer = services.GetRequiredService<ModelScorer>();
        var replica = services.GetRequiredService<ParameterReplica>();
        var clock = services.GetRequiredService<TimeProvider>();
        var training = services.GetService<ITrainingStatusSource>();
        endpoints.MapGet("/v1/models/{model}/status", async Task<IResult> (string model, CancellationToken cancellation) =>
        {
            if (model != scorer.Spec.Name)
            {
                return Problems.NoSuchModel(model, [scorer.Spec.Name]);
            }

            var status = Of(scorer.Spec, replica, clock.GetUtcNow()) with
            {
                Training = training is null ? null : await training.Get(model, cancellation),
            };
            return TypedResults.Json(status, StatusJson.Default.ModelStatus);
        });
    }

    private static ModelStatus Of(ModelSpec spec, ParameterReplica replica, DateTimeOffset now)
    {
        var ready = replica.IsReady;
        var versions = ready ? replica.Versions() : [];
        var watermark = ready ? versions.Min(v => v.WatermarkMs) : 0;
        return new ModelStatus
        {
            Model = spec.Name,
            Ready = ready,
            WatermarkMs = watermark,
            AgeSeconds = watermark > 0 ? (now.ToUnixTimeMilliseconds() - watermark) / 1000.0 : null,
            CanaryMs = replica.CanaryMs(),
            Versions = [.. versions.Select(v => new ReplicaVersionStatus(v.Shard, v.Epoch, v.Sequence))],
            Rows = spec.Tables.Zip(replica.Rows()).ToDictionary(t => t.First.Name, t => t.Second),
        };
    }
}
