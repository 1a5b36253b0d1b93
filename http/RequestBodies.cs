using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Monolith.Http;

/// <summary>
/// Reads request bodies within bounds: the bytes of one body, the memory of all bodies, the time a body takes to arrive and
/// the number of heavy requests that are worked on at once. One instance a process. Safe for concurrent use.
/// </summary>
/// <param name="limits">The bounds.</param>
/// <param name="time">Measures how long a body takes.</param>
public sealed class RequestBodies(BodyLimits limits, TimeProvider time) : IDisposable
{
    internal const int SmallestBuffer = 4 << 10;
    private readonly SemaphoreSlim _turns = new(limits.MaxHeavyAtOnce, limits.MaxHeavyAtOnce);
    private long _heldBytes;

    /// <summary>Bytes that the buffers of bodies above <see cref="BodyLimits.SmallBytes"/> hold now.</summary>
    public long HeldBytes => Interlocked.Read(ref _heldBytes);

    /// <summary>
    /// Reads a whole body. A heavy one also waits for its turn, which it has until it is disposed. Content codings are refused.
    /// </summary>
    /// <param name="context">The request; told to close its connection when its body was not read to the end.</param>
    /// <param name="maxBytes">Bytes that a body of this route may have.</param>
    /// <returns>The bytes or the refusal; to be disposed.</returns>
    public async ValueTask<RequestBody> ReadAsync(HttpContext context, int maxBytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        var body = new RequestBody(this);
        try
        {
            body.Refusal = RefuseCoding(context) ?? await FillAsync(context, body, maxBytes).ConfigureAwait(false);
            if (body.Refusal is not null)
            {
                // The rest of the body is not read.
                context.Response.Headers.Connection = "close";
            }
            else if (body.Length > limits.HeavyBytes)
            {
                body.Refusal = await TakeTurnAsync(context, body).ConfigureAwait(false);
            }

            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turns.Dispose();

    internal bool TryHold(int bytes)
    {
        if (bytes <= BodyLimits.SmallBytes || Interlocked.Add(ref _heldBytes, bytes) <= limits.MaxHeldBytes)
        {
            return true;
        }

        Interlocked.Add(ref _heldBytes, -bytes);
        return false;
    }

    internal void Release(int bytes)
    {
        if (bytes > BodyLimits.SmallBytes)
        {
            Interlocked.Add(ref _heldBytes, -bytes);
        }
    }

    internal void EndTurn() => _turns.Release();

    private static IResult? RefuseCoding(HttpContext context)
    {
        var codings = context.Request.Headers.ContentEncoding;
        if (StringValues.IsNullOrEmpty(codings) || codings.ToString().Trim().Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        context.Response.Headers.AcceptEncoding = "identity";
        return Problem(
            StatusCodes.Status415UnsupportedMediaType,
            "The content coding is not supported",
            $"The body has the content coding '{codings}'; send it without one.");
    }

    private static IResult TooLarge(int maxBytes) => Problem(
        StatusCodes.Status413PayloadTooLarge,
        "The body is too large",
        string.Create(CultureInfo.InvariantCulture, $"A body has at most {maxBytes} bytes here; send several requests."));

    private static IResult Problem(int status, string title, string detail) =>
        Results.Problem(detail, statusCode: status, title: title);

    private async ValueTask<IResult?> FillAsync(HttpContext context, RequestBody body, int maxBytes)
    {
        if (context.Request.ContentLength > maxBytes)
        {
            return TooLarge(maxBytes);
        }

        // So that the server does not read on for somebody who does not stop sending.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = maxBytes;
        }

        using var deadline = new CancellationTokenSource(limits.MaxDuration, time);
        try
        {
            var reader = context.Request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(deadline.Token).ConfigureAwait(false);
                var isTooLarge = body.Length + read.Buffer.Length > maxBytes;
                var isAdded = !isTooLarge && body.TryAdd(read.Buffer);
                reader.AdvanceTo(read.Buffer.End);
                if (!isAdded)
                {
                    return isTooLarge ? TooLarge(maxBytes) : Busy(context, "Bodies of other requests take all the memory for them.");
                }

                if (read.IsCompleted)
                {
                    return null;
                }
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return Problem(
                StatusCodes.Status408RequestTimeout,
                "The body did not arrive in time",
                string.Create(CultureInfo.InvariantCulture, $"A body may take {limits.MaxDuration.TotalSeconds:0.#} s to arrive."));
        }
        catch (BadHttpRequestException exception)
        {
            return exception.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? TooLarge(maxBytes)
                : Problem(exception.StatusCode, "The body could not be read", exception.Message);
        }
    }

    private async ValueTask<IResult?> TakeTurnAsync(HttpContext context, RequestBody body)
    {
        // SemaphoreSlim takes no TimeProvider; the wait is short, and nothing is measured by it.
        if (!await _turns.WaitAsync(limits.MaxHeavyWait, context.RequestAborted).ConfigureAwait(false))
        {
            return Busy(context, "Other large requests are being worked on.");
        }

        body.TakeTurn();
        return null;
    }

    private IResult Busy(HttpContext context, string detail)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(limits.RetryAfter.TotalSeconds));
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return Problem(
            StatusCodes.Status503ServiceUnavailable, "Too many large requests", $"{detail} Send the request again, or in smaller parts.");
    }
}
