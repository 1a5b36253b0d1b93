using System.Globalization;
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
        var turn = new SemaphoreSlim(1, 1);
        routes.MapGet($"/v1/models/{spec.Name}/dead-letters", (string? last, CancellationToken cancellation) => Read(topics.DeadLetters, last, cancellation));
        routes.MapGet($"/v1/models/{spec.Name}/orphans", (string? last, CancellationToken cancellation) => Read(topics.Orphans, last, cancellation));

        async Task<IResult> Read(string topic, string? text, CancellationToken cancellation)
        {
            var last = 100;
            if (text is not null
                && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out last) || last is < 1 or > DeadLetterReader.Max))
            {
                return Results.Problem($"last is '{text}'; allowed is 1 to {DeadLetterReader.Max}", statusCode: 400);
            }

            // One at a time: each may hold DeadLetterReader.MaxBytes.
            await turn.WaitAsync(cancellation);
            try
            {
                return Results.Json(
                    await DeadLetterReader.Newest(log, topic, last, cancellation), DeadLetterJson.Default.DeadLetterArray);
            }
            finally
            {
                turn.Release();
            }
        }
    }
}
