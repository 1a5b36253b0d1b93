using System.Buffers;
using System.Text;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Features;
using Monolith.Http;
using Monolith.Ingestion.Wire;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Api;

/// <summary>
/// Takes impressions and actions over HTTP and answers once the log has them. A request is taken whole or not at all;
/// sending it again is safe: what was taken lately is not appended again, and the joiner absorbs the rest.
/// </summary>
internal sealed partial class EventIngest(
    IEventLog log,
    RequestBodies bodies,
    ModelSpec spec,
    IngestionOptions options,
    TimeProvider time,
    ILogger<EventIngest> logger) : IDisposable
{
    private const int MaxMistakes = 20;
    private readonly ModelTopics _topics = new(spec.Name);
    private readonly FieldRules _fields = new(spec);
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
            bytes => Impressions.Parser.ParseFrom(bytes.Span).Impressions_,
            bytes => ImpressionWire.Read(bytes, _fields, out _),
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
            bytes => Actions.Parser.ParseFrom(bytes.Span).Actions_,
            bytes => ActionWire.Read(bytes, out _),
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
        var batch = default(Batch);
        using (var body = await bodies.ReadAsync(context, options.MaxBodyBytes).ConfigureAwait(false))
        {
            if ((body.Refusal ?? Prepare(context.Request.ContentType, body.Bytes, kind, out batch)) is { } refusal)
            {
                return refusal;
            }
        }

        return await AppendAsync(context, kind.Name, batch).ConfigureAwait(false);
    }

    // Everything that is large goes when this returns: while the log is waited for, only the records are kept.
    private IResult? Prepare<T>(string? contentType, ReadOnlyMemory<byte> body, Kind<T> kind, out Batch batch)
        where T : class, IMessage<T>
    {
        batch = default;
        IReadOnlyList<T> events;
        try
        {
            events = Read(contentType, body, kind, options.MaxBatch, out var unknown);
            if (unknown is not null)
            {
                return Problem(415, "The content type is not known", unknown);
            }
        }
        catch (TooManyEventsException e)
        {
            return Problem(413, "The batch is too large", e.Message);
        }
        catch (EventFormatException e)
        {
            return Problem(400, $"The {kind.Name} cannot be read", e.Message);
        }
        catch (InvalidProtocolBufferException e)
        {
            return Problem(400, $"The {kind.Name} cannot be read", $"The body is no protobuf message of {kind.Name}: {e.Message}");
        }

        // Of the events as they were sent: those without a time are given one next.
        var keys = events.Select(kind.KeyOf).ToArray();
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var mistakes = Check(events, kind, nowMs, out var records);
        if (mistakes.Count > 0)
        {
            return Results.ValidationProblem(mistakes, "Nothing of this request was taken.", title: $"The {kind.Name} have mistakes");
        }

        batch = new Batch(keys, records, body.Length);
        return null;
    }

    private static IReadOnlyList<T> Read<T>(
        string? contentType, ReadOnlyMemory<byte> body, Kind<T> kind, int maxEvents, out string? unknown)
    {
        unknown = null;
        switch (contentType?.Split(';')[0].Trim().ToLowerInvariant())
        {
            case null or "" or "application/json":
                return kind.FromJson(new ReadOnlySequence<byte>(body), maxEvents);
            case "application/x-protobuf" or "application/protobuf" or "application/vnd.google.protobuf":
                BatchWire.RequireFew(body.Span, maxEvents);
                return kind.FromProtobuf(body);
            default:
                unknown = $"'{contentType}' was sent; application/json and application/x-protobuf are understood.";
                return [];
        }
    }

    // What is checked is the bytes that the log is given: the joiner reads them with the same code.
    private Dictionary<string, string[]> Check<T>(IReadOnlyList<T> events, Kind<T> kind, long nowMs, out NewRecord[] records)
        where T : class, IMessage<T>
    {
        var mistakes = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var maxBytes = EventLimits.MaxEventBytes(log.MaxRecordBytes);
        records = new NewRecord[events.Count];
        for (var i = 0; i < events.Count && mistakes.Count < MaxMistakes; i++)
        {
            if (kind.TimeOf(events[i]) == 0)
            {
                kind.SetTime(events[i], nowMs);
            }

            var bytes = events[i].ToByteArray();
            records[i] = new NewRecord(kind.Topic, NewRecord.ByKey, Encoding.UTF8.GetBytes(kind.RequestOf(events[i])), bytes);
            var mistake = EventRules.SizeMistake(bytes.Length, maxBytes)
                ?? kind.Mistake(bytes)
                ?? EventRules.TimeMistake(kind.TimeOf(events[i]), nowMs, (long)spec.Join.AllowedSkew.TotalMilliseconds);
            if (mistake is not null)
            {
                mistakes[$"{kind.Name}[{i}]"] = [mistake];
            }
        }

        return mistakes;
    }

    private async Task<IResult> AppendAsync(HttpContext context, string name, Batch batch)
    {
        if (Interlocked.Add(ref _waitingBytes, batch.Bytes) > options.MaxWaitingBytes && batch.Bytes <= options.MaxWaitingBytes)
        {
            Interlocked.Add(ref _waitingBytes, -batch.Bytes);
            return TryLater(context, 429, "The event log is behind", "Nothing of this request was taken.");
        }

        using var claim = _recent.Begin(batch.Keys);
        try
        {
            using var timeout = new CancellationTokenSource(options.AppendTimeout, time);
            var started = time.GetTimestamp();
            await EnsureTopicsAsync(timeout.Token).ConfigureAwait(false);
            var records = claim.Fresh.ConvertAll(i => batch.Records[i]);
            if (records.Count > 0)
            {
                await log.AppendAsync(records, timeout.Token).AsTask().WaitAsync(timeout.Token).ConfigureAwait(false);
            }

            // Before waiting for others, who may wait for these.
            claim.Taken();
            await claim.Earlier.WaitAsync(timeout.Token).ConfigureAwait(false);
            var again = batch.Records.Length - records.Count;
            _metrics.Accepted(name, records.Count, again, time.GetElapsedTime(started));
            return Results.Ok(new Accepted(batch.Records.Length, again));
        }
        catch (Exception e) when (e is EventLogException or OperationCanceledException)
        {
            LogAppendFailed(e);
            var detail = e is EventLogException ? e.Message : $"It did not answer within {options.AppendTimeout.TotalSeconds:N0} s.";
            return TryLater(context, 503, "The event log cannot take events now", $"{detail} Send the request again: what was taken is not taken twice.");
        }
        finally
        {
            Interlocked.Add(ref _waitingBytes, -batch.Bytes);
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

    /// <summary>Events that are ready for the log.</summary>
    /// <param name="Keys">What makes each of them the same as another.</param>
    /// <param name="Records">Their records.</param>
    /// <param name="Bytes">Bytes of the body that they came in.</param>
    private readonly record struct Batch(UInt128[] Keys, NewRecord[] Records, int Bytes);

    private sealed record Kind<T>(
        string Name,
        string Topic,
        Func<ReadOnlySequence<byte>, int, IReadOnlyList<T>> FromJson,
        Func<ReadOnlyMemory<byte>, IReadOnlyList<T>> FromProtobuf,
        Func<byte[], string?> Mistake,
        Func<T, string> RequestOf,
        Func<T, long> TimeOf,
        Action<T, long> SetTime,
        Func<T, UInt128> KeyOf);
}
