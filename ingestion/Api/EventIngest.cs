using System.Buffers;
using System.Text;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Events;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Api;

/// <summary>
/// Takes impressions and actions over HTTP and answers once the log has them. A request is taken whole or not at all;
/// sending it again is safe: what was taken lately is not appended again, and the joiner absorbs the rest.
/// </summary>
internal sealed partial class EventIngest(
    IEventLog log,
    ModelSpec spec,
    IngestionOptions options,
    TimeProvider time,
    ILogger<EventIngest> logger) : IDisposable
{
    private const int MaxMistakes = 20;
    private readonly ModelTopics _topics = new(spec.Name);
    private readonly IngestionMetrics _metrics = new();
    private readonly RecentEvents _recent = new(options.RememberedEvents);
    private readonly SemaphoreSlim _setup = new(1, 1);
    private long _waitingBytes;
    private volatile bool _ready;

    public Task<IResult> ImpressionsAsync(HttpContext context) => TakeAsync(
        context,
        new Kind<Impression>(
            "impressions",
            _topics.Impressions,
            EventJson.Impressions,
            bytes => Impressions.Parser.ParseFrom(bytes).Impressions_,
            EventRules.Mistake,
            e => e.RequestId,
            e => e.EventTimeMs,
            (e, nowMs) => e.EventTimeMs = nowMs,
            e => EventKeys.Of(e)));

    public Task<IResult> ActionsAsync(HttpContext context) => TakeAsync(
        context,
        new Kind<EventAction>(
            "actions",
            _topics.Actions,
            EventJson.Actions,
            bytes => Actions.Parser.ParseFrom(bytes).Actions_,
            EventRules.Mistake,
            e => e.RequestId,
            e => e.EventTimeMs,
            (e, nowMs) => e.EventTimeMs = nowMs,
            e => EventKeys.Of(e)));

    public void Dispose()
    {
        _metrics.Dispose();
        _setup.Dispose();
    }

    private async Task<IResult> TakeAsync<T>(HttpContext context, Kind<T> kind)
        where T : class, IMessage<T>
    {
        var result = await AnswerAsync(context, kind).ConfigureAwait(false);
        if (result is IStatusCodeHttpResult { StatusCode: >= 400 } refused)
        {
            _metrics.Refused(refused.StatusCode.Value);
        }

        return result;
    }

    private async Task<IResult> AnswerAsync<T>(HttpContext context, Kind<T> kind)
        where T : class, IMessage<T>
    {
        var body = await RequestBody.ReadAsync(context, options.MaxBodyBytes).ConfigureAwait(false);
        if (body is null)
        {
            return Problem(413, "The body is too large", $"At most {options.MaxBodyBytes:N0} bytes are allowed; send several requests.");
        }

        IReadOnlyList<T> events;
        try
        {
            events = Read(context.Request.ContentType, body, kind, out var unknown);
            if (unknown is not null)
            {
                return Problem(415, "The content type is not known", unknown);
            }
        }
        catch (EventFormatException e)
        {
            return Problem(400, $"The {kind.Name} cannot be read", e.Message);
        }
        catch (InvalidProtocolBufferException e)
        {
            return Problem(400, $"The {kind.Name} cannot be read", $"The body is no protobuf message of {kind.Name}: {e.Message}");
        }

        if (events.Count > options.MaxBatch)
        {
            return Problem(413, "The batch is too large", $"It has {events.Count:N0} {kind.Name}; at most {options.MaxBatch:N0} are allowed.");
        }

        // Of the events as they were sent: those without a time are given one next.
        var keys = events.Select(kind.KeyOf).ToArray();
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var mistakes = Check(events, kind, nowMs);
        return mistakes.Count > 0
            ? Results.ValidationProblem(mistakes, "Nothing of this request was taken.", title: $"The {kind.Name} have mistakes")
            : await AppendAsync(context, events, keys, kind, body.Length).ConfigureAwait(false);
    }

    private static IReadOnlyList<T> Read<T>(string? contentType, byte[] body, Kind<T> kind, out string? unknown)
    {
        unknown = null;
        switch (contentType?.Split(';')[0].Trim().ToLowerInvariant())
        {
            case null or "" or "application/json":
                return kind.FromJson(new ReadOnlySequence<byte>(body));
            case "application/x-protobuf" or "application/protobuf" or "application/vnd.google.protobuf":
                return kind.FromProtobuf(body);
            default:
                unknown = $"'{contentType}' was sent; application/json and application/x-protobuf are understood.";
                return [];
        }
    }

    private Dictionary<string, string[]> Check<T>(IReadOnlyList<T> events, Kind<T> kind, long nowMs)
    {
        var mistakes = new Dictionary<string, string[]>(StringComparer.Ordinal);
        for (var i = 0; i < events.Count && mistakes.Count < MaxMistakes; i++)
        {
            if (kind.TimeOf(events[i]) == 0)
            {
                kind.SetTime(events[i], nowMs);
            }

            var mistake = kind.Mistake(events[i])
                ?? EventRules.TimeMistake(kind.TimeOf(events[i]), nowMs, (long)spec.Join.AllowedSkew.TotalMilliseconds);
            if (mistake is not null)
            {
                mistakes[$"{kind.Name}[{i}]"] = [mistake];
            }
        }

        return mistakes;
    }

    private async Task<IResult> AppendAsync<T>(HttpContext context, IReadOnlyList<T> events, UInt128[] keys, Kind<T> kind, int bytes)
        where T : class, IMessage<T>
    {
        if (Interlocked.Add(ref _waitingBytes, bytes) > options.MaxWaitingBytes && bytes <= options.MaxWaitingBytes)
        {
            Interlocked.Add(ref _waitingBytes, -bytes);
            return TryLater(context, 429, "The event log is behind", "Nothing of this request was taken.");
        }

        using var claim = _recent.Begin(keys);
        try
        {
            using var timeout = new CancellationTokenSource(options.AppendTimeout, time);
            var started = time.GetTimestamp();
            await EnsureTopicsAsync(timeout.Token).ConfigureAwait(false);
            var records = claim.Fresh.ConvertAll(
                i => new NewRecord(kind.Topic, NewRecord.ByKey, Encoding.UTF8.GetBytes(kind.RequestOf(events[i])), events[i].ToByteArray()));
            if (records.Count > 0)
            {
                await log.AppendAsync(records, timeout.Token).AsTask().WaitAsync(timeout.Token).ConfigureAwait(false);
            }

            // Before waiting for others, who may wait for these.
            claim.Taken();
            await claim.Earlier.WaitAsync(timeout.Token).ConfigureAwait(false);
            var again = events.Count - records.Count;
            _metrics.Accepted(kind.Name, records.Count, again, time.GetElapsedTime(started));
            return Results.Ok(new Accepted(events.Count, again));
        }
        catch (Exception e) when (e is EventLogException or OperationCanceledException)
        {
            LogAppendFailed(e);
            var detail = e is EventLogException ? e.Message : $"It did not answer within {options.AppendTimeout.TotalSeconds:N0} s.";
            return TryLater(context, 503, "The event log cannot take events now", $"{detail} Send the request again: what was taken is not taken twice.");
        }
        finally
        {
            Interlocked.Add(ref _waitingBytes, -bytes);
        }
    }

    private async ValueTask EnsureTopicsAsync(CancellationToken cancellationToken)
    {
        if (_ready)
        {
            return;
        }

        await _setup.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ModelTopicsSetup.EnsureAsync(log, spec, options.InputPartitions, options.ExamplePartitions, cancellationToken).ConfigureAwait(false);
            _ready = true;
        }
        finally
        {
            _setup.Release();
        }
    }

    private IResult TryLater(HttpContext context, int status, string title, string detail)
    {
        context.Response.Headers.RetryAfter = $"{Math.Max(1, (int)Math.Ceiling(options.RetryAfter.TotalSeconds))}";
        return Problem(status, title, detail);
    }

    private static IResult Problem(int status, string title, string detail) => Results.Problem(detail, statusCode: status, title: title);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event log did not take a request's events")]
    private partial void LogAppendFailed(Exception exception);

    /// <summary>The answer to a request that was taken.</summary>
    /// <param name="Count">Events of the request; the log has them all.</param>
    /// <param name="Again">How many of them it had before, or were twice in the request.</param>
    private sealed record Accepted(
        [property: JsonPropertyName("accepted")] int Count,
        [property: JsonPropertyName("duplicates")] int Again);

    private sealed record Kind<T>(
        string Name,
        string Topic,
        Func<ReadOnlySequence<byte>, IReadOnlyList<T>> FromJson,
        Func<byte[], IReadOnlyList<T>> FromProtobuf,
        Func<T, string?> Mistake,
        Func<T, string> RequestOf,
        Func<T, long> TimeOf,
        Action<T, long> SetTime,
        Func<T, UInt128> KeyOf);
}
