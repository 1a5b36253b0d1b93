using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Monolith.Contracts.Specification;
using Monolith.Events;

namespace Monolith.Standalone.DeadLetters;

/// <summary>Shows a running service's records put aside: its data folder is open to nobody else.</summary>
internal static class DeadLetterEndpoint
{
    /// <summary>Maps <c>GET /v1/models/{model}/dead-letters</c> and <c>/orphans</c>, each with <c>?last=N</c>.</summary>
    public static void MapDeadLetters(this IEndpointRouteBuilder routes, ModelSpec spec, IEventLog log)
    {
        var topics = new ModelTopics(spec.Name);
        routes.MapGet($"/v1/models/{spec.Name}/dead-letters", (int? last, CancellationToken cancellation) => Read(topics.DeadLetters, last, cancellation));
        routes.MapGet($"/v1/models/{spec.Name}/orphans", (int? last, CancellationToken cancellation) => Read(topics.Orphans, last, cancellation));

        async Task<IResult> Read(string topic, int? last, CancellationToken cancellation) => last is < 1 or > DeadLetterReader.Max
            ? Results.Problem($"last is {last}; allowed is 1 to {DeadLetterReader.Max}", statusCode: 400)
            : Results.Json(await DeadLetterReader.Newest(log, topic, last ?? 100, cancellation), DeadLetterJson.Default.DeadLetterArray);
    }
}
