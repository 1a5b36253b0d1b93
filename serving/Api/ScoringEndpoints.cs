using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Monolith.Features;
using Monolith.Http;
using Monolith.Serving.Scoring;

namespace Monolith.Serving.Api;

/// <summary><c>POST /v1/models/{model}/score</c>.</summary>
public static class ScoringEndpoints
{
    private const string Shape =
        "the body is {\"request_id\": text, \"shared\": {field: value}, \"candidates\": [{\"item_id\": text, "
        + "\"features\": {field: value}}], \"canary\": true or false}";

    /// <summary>Maps the endpoint for every registered <see cref="ModelScorer"/>.</summary>
    public static IEndpointConventionBuilder MapScoring(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var scorers = services.GetServices<ModelScorer>().ToDictionary(s => s.Spec.Name, StringComparer.Ordinal);
        var options = services.GetRequiredService<ScoringOptions>();
        var clock = services.GetRequiredService<TimeProvider>();
        var bodies = services.GetRequiredService<RequestBodies>();
        return endpoints.MapPost(
            "/v1/models/{model}/score",
            (string model, HttpContext context) => scorers.TryGetValue(model, out var scorer)
                ? Score(context, scorer, bodies, options, clock)
                : Task.FromResult<IResult>(Problems.NoSuchModel(model, scorers.Keys)));
    }

    private static async Task<IResult> Score(
        HttpContext context, ModelScorer scorer, RequestBodies bodies, ScoringOptions options, TimeProvider clock)
    {
        if (!scorer.IsReady)
        {
            context.Response.Headers.RetryAfter = "1";
            return Problems.Of(
                StatusCodes.Status503ServiceUnavailable, "Not ready", $"the parameters of model '{scorer.Spec.Name}' are still loading");
        }

        using var body = await bodies.ReadAsync(context, (int)options.MaxBodyBytes);
        return body.Refusal ?? Answer(context, body.Bytes.Span, scorer, clock);
    }

    private static IResult Answer(HttpContext context, ReadOnlySpan<byte> json, ModelScorer scorer, TimeProvider clock)
    {
        if (json.StartsWith(Encoding.UTF8.Preamble))
        {
            json = json[Encoding.UTF8.Preamble.Length..];
        }

        if (json.Length > ScoreRequestSize.UncountedBytes
            && ScoreRequestCheck.FirstExcess(ScoreRequestSize.Of(json), scorer) is { } excess)
        {
            return Problems.Invalid(excess);
        }

        ScoreRequest? request;
        try
        {
            request = JsonSerializer.Deserialize(json, ScoreJson.Default.ScoreRequest);
        }
        catch (JsonException exception)
        {
            return Problems.Malformed(exception, Shape);
        }

        if (request is null)
        {
            return Problems.Invalid($"the body is null; {Shape}");
        }

        return ScoreRequestCheck.FirstMistake(request, scorer) is { } mistake
            ? Problems.Invalid(mistake)
            : Answer(context, request, scorer, clock);
    }

    private static IResult Answer(HttpContext context, ScoreRequest request, ModelScorer scorer, TimeProvider clock)
    {
        try
        {
            using var result = scorer.Score(request);
            var now = clock.GetUtcNow();
            var requestId = request.RequestId is { Length: > 0 } given
                ? given
                : Guid.CreateVersion7(now).ToString("n", CultureInfo.InvariantCulture);
            context.Response.ContentType = "application/json";
            ScoreResponse.Write(context.Response.BodyWriter, requestId, request, scorer, result, now);
            return Results.Empty;
        }
        catch (FeatureException exception)
        {
            return Problems.Invalid(exception.Message);
        }
        catch (DivergedModelException exception)
        {
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, "The model has diverged", exception.Message);
        }
        catch (ScoreLimitException exception)
        {
            return Problems.Invalid(exception.Message);
        }
    }
}
