using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Monolith.Features;
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
        return endpoints.MapPost(
            "/v1/models/{model}/score",
            (string model, HttpContext context) => scorers.TryGetValue(model, out var scorer)
                ? Score(context, scorer, options, clock)
                : Task.FromResult<IResult>(Problems.NoSuchModel(model, scorers.Keys)));
    }

    private static async Task<IResult> Score(HttpContext context, ModelScorer scorer, ScoringOptions options, TimeProvider clock)
    {
        if (!scorer.IsReady)
        {
            context.Response.Headers.RetryAfter = "1";
            return Problems.Of(
                StatusCodes.Status503ServiceUnavailable, "Not ready", $"the parameters of model '{scorer.Spec.Name}' are still loading");
        }

        ScoreRequest? request;
        try
        {
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            {
                limit.MaxRequestBodySize = options.MaxBodyBytes;
            }

            request = await JsonSerializer.DeserializeAsync(
                context.Request.Body, ScoreJson.Default.ScoreRequest, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            return Problems.Malformed(exception, Shape);
        }
        catch (BadHttpRequestException exception)
        {
            // The rest of the body is not read: the connection is closed after the answer.
            context.Response.Headers.Connection = "close";
            return exception.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? Problems.Of(exception.StatusCode, "The body is too large", $"a scoring request has at most {options.MaxBodyBytes} bytes")
                : Problems.Of(exception.StatusCode, "The body could not be read", exception.Message);
        }

        if (request is null)
        {
            return Problems.Invalid($"the body is null; {Shape}");
        }

        if (ScoreRequestCheck.FirstMistake(request, scorer) is { } mistake)
        {
            return Problems.Invalid(mistake);
        }

        return Answer(context, request, scorer, clock);
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
    }
}
