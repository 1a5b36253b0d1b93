using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;
using Monolith.Events;
using StackExchange.Redis;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// Answers what no route has caught, always with a problem body (RFC 9457): 503 when a part is away for the moment, otherwise
/// 500. Each is logged once.
/// </summary>
/// <param name="problems">Writes the body.</param>
/// <param name="logger">Receives what happened.</param>
internal sealed partial class UnexpectedErrors(IProblemDetailsService problems, ILogger<UnexpectedErrors> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = Of(exception);
        if (problem.Status >= StatusCodes.Status500InternalServerError)
        {
            Log(httpContext.Request.Method, httpContext.Request.Path, problem.Status.Value, exception);
        }

        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            httpContext.Response.Headers.RetryAfter = "1";
        }

        httpContext.Response.StatusCode = problem.Status!.Value;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem });
    }

    private static ProblemDetails Of(Exception exception) => exception switch
    {
        BadHttpRequestException bad => Of(bad.StatusCode, "The request is not valid", bad.Message),
        EventLogException or RedisException or TimeoutException or OrleansException => Of(
            StatusCodes.Status503ServiceUnavailable,
            "A part of the service cannot answer now",
            $"{exception.Message.TrimEnd('.')}. Send the request again later."),
        _ => Of(
            StatusCodes.Status500InternalServerError,
            "An unexpected error",
            "The service's log has an entry with the cause. Please report it: no request should be answered like this."),
    };

    private static ProblemDetails Of(int status, string title, string detail) =>
        new() { Status = status, Title = title, Detail = detail };

    [LoggerMessage(LogLevel.Error, "{Method} {Path} was answered {Status}")]
    private partial void Log(string method, string path, int status, Exception exception);
}
