using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Monolith.Serving.Api;

/// <summary>Problem details (RFC 9457): one clear message, what was wrong and what is allowed.</summary>
internal static class Problems
{
    private const int MaxPathLength = 200;

    public static ProblemHttpResult Invalid(string detail) => Of(StatusCodes.Status400BadRequest, "The request is not valid", detail);

    public static ProblemHttpResult Of(int status, string title, string detail) =>
        TypedResults.Problem(new ProblemDetails { Status = status, Title = title, Detail = detail });

    public static ProblemHttpResult NoSuchModel(string model, IEnumerable<string> known) => Of(
        StatusCodes.Status404NotFound,
        "No such model",
        $"there is no model '{model}' here; there is {string.Join(", ", known.Order(StringComparer.Ordinal))}");

    /// <summary>A body that is no JSON, or not of the expected shape.</summary>
    public static ProblemHttpResult Malformed(JsonException exception, string shape)
    {
        var at = $"line {(exception.LineNumber ?? 0) + 1}, byte {(exception.BytePositionInLine ?? 0) + 1}";
        var place = exception.Path is { Length: > MaxPathLength } longPath ? $"{longPath.AsSpan(0, MaxPathLength)}…" : exception.Path;
        var path = string.IsNullOrEmpty(place) ? "" : $", {place}";
        var problem = new ProblemDetails
        {
            Status = StatusCodes.Status400BadRequest,
            Title = "The body is not what it should be",
            Detail = $"{Cause(exception)} (at {at}{path}); {shape}",
        };
        problem.Extensions["line"] = (exception.LineNumber ?? 0) + 1;
        problem.Extensions["byte"] = (exception.BytePositionInLine ?? 0) + 1;
        problem.Extensions["path"] = place;
        return TypedResults.Problem(problem);
    }

    // The serializer's own messages speak of .NET types, which say nothing to who sent the request.
    private static string Cause(JsonException exception) => exception.Message switch
    {
        _ when exception.InnerException?.Message.Contains("UTF-", StringComparison.Ordinal) == true => "a text is not Unicode: it has an unpaired surrogate, or bytes that are not UTF-8",
        var m when m.Contains("could not be mapped", StringComparison.Ordinal) => "a property of this name is not known",
        var m when m.Contains("could not be converted", StringComparison.Ordinal) => "a value is of the wrong type",
        var m when m.Contains("missing required properties", StringComparison.Ordinal) => "a required property is missing: 'item_id'",
        var m when m.Contains("doesn't allow null", StringComparison.Ordinal) => "a value must not be null",
        var m when m.Contains("Duplicate propert", StringComparison.Ordinal) => "a property occurs twice",
        var m when exception.InnerException is { } inner => $"it is not JSON: {Sentence(inner.Message)}",
        var m => Sentence(m),
    };

    // Cuts off the position that the reader appends; it is said once, in our own words.
    private static string Sentence(string message)
    {
        foreach (var tail in (ReadOnlySpan<string>)[" LineNumber:", " Path:"])
        {
            var end = message.IndexOf(tail, StringComparison.Ordinal);
            message = end < 0 ? message : message[..end];
        }

        return message.TrimEnd('.', ' ', '|');
    }
}
