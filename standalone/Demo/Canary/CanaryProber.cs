using System.Globalization;
using System.Text.Json;
using HdrHistogram;
using Monolith.Standalone.Demo.Traffic;

namespace Monolith.Standalone.Demo.Canary;

/// <summary>
/// Measures, from outside, how long a click takes to change scores: sends a canary impression and its action to the ingest
/// API and asks the scoring API until it reads the action's time back from every shard.
/// </summary>
/// <remarks>
/// One canary is under way at a time, since a later one that overtook it would be read in its place. A slow one keeps others
/// from being sent meanwhile; the histogram is corrected for that (Tene's coordinated omission). The very first says when
/// the pipeline has come up and is not recorded.
/// </remarks>
internal sealed class CanaryProber(string model, DemoApi api, TimeProvider clock)
{
    private const double Micro = 1e6;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly LongHistogram _histogram = new((long)(2 * Micro * Patience.TotalSeconds), 3);
    private readonly Lock _lock = new();
    private long _lost;

    /// <summary>Canaries read back.</summary>
    public long Seen
    {
        get
        {
            lock (_lock)
            {
                return field;
            }
        }

        private set;
    }

    /// <summary>Canaries that did not come back in time.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Seconds from click to score at a percentile; null before the first canary came back.</summary>
    public double? Seconds(double percentile)
    {
        lock (_lock)
        {
            return Seen == 0 ? null : _histogram.GetValueAtPercentile(percentile) / Micro;
        }
    }

    /// <summary>Probes until stopped.</summary>
    public async Task Run(CancellationToken stop)
    {
        var run = clock.GetUtcNow().ToUnixTimeMilliseconds().ToString("x", CultureInfo.InvariantCulture);
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            for (var number = 0L; ; number++)
            {
                await Probe(string.Create(CultureInfo.InvariantCulture, $"__canary/{run}-{number}"), record: number > 0, stop);
                await timer.WaitForNextTickAsync(stop);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped: a canary under way says nothing any more.
        }
    }

    private async Task Probe(string requestId, bool record, CancellationToken stop)
    {
        var sentMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (!await api.Send("/v1/impressions", json => Impression(json, requestId, sentMs), stop))
        {
            Interlocked.Increment(ref _lost);
            return;
        }

        sentMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var sent = clock.GetTimestamp();
        if (!await api.Send("/v1/actions", json => EventBodies.Click(json, requestId, "canary", sentMs), stop))
        {
            Interlocked.Increment(ref _lost);
            return;
        }

        while (clock.GetElapsedTime(sent) < Patience)
        {
            var reply = await api.Score(model, WriteQuestion, stop);
            var elapsed = clock.GetElapsedTime(sent);
            if (reply?.CanaryMs >= sentMs)
            {
                if (record)
                {
                    Record(elapsed);
                }

                return;
            }

            await Task.Delay(PollInterval, clock, stop);
        }

        Interlocked.Increment(ref _lost);
        Record(Patience);
    }

    private void Record(TimeSpan elapsed)
    {
        lock (_lock)
        {
            Seen++;
            _histogram.RecordValueWithExpectedInterval((long)(elapsed.TotalSeconds * Micro), (long)(Interval.TotalSeconds * Micro));
        }
    }

    private static void WriteQuestion(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBoolean("canary", true);
        json.WriteEndObject();
    }

    private static void Impression(Utf8JsonWriter json, string requestId, long timeMs)
    {
        json.WriteStartObject();
        json.WriteString("event_id", requestId);
        json.WriteString("request_id", requestId);
        json.WriteNumber("event_time_ms", timeMs);
        json.WriteStartArray("items");
        json.WriteStartObject();
        json.WriteString("item_id", "canary");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
