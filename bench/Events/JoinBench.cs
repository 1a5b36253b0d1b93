using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Ingestion;
using Monolith.Ingestion.Joining;

namespace Monolith.Bench.Events;

/// <summary>Measures one log.</summary>
internal static class JoinBench
{
    private const int PairsAppended = 2_000;
    private const int MaxAppended = 3_000;
    private const int BareWarmUpSeconds = 13;

    public static async Task<JoinFigures> RunAsync(IEventLog log, ModelSpec spec, JoinLoad load, int partitions, int events, int seconds, int maxRate)
    {
        await ModelTopicsSetup.EnsureAsync(log, spec, partitions, partitions);
        var topics = new ModelTopics(spec.Name);
        var pairs = events / JoinLoad.EventsARequestPair;
        await PreloadAsync(log, topics, load, pairs);
        PeakMemory.Reset();
        using var joiner = new Joiner(log, spec, new JoinerOptions(), TimeProvider.System, NullLogger<Joiner>.Instance);
        await joiner.StartAsync(default);
        var (eventsPerSecond, examplesPerSecond) = await DrainAsync(joiner, pairs * JoinLoad.EventsARequestPair);
        Console.WriteLine($"  joined {pairs * JoinLoad.EventsARequestPair:N0} events at {eventsPerSecond:N0}/s");
        var warmUp = (int)(spec.Join.Window + spec.Join.AllowedSkew).TotalSeconds + 1;
        var rate = Math.Min(eventsPerSecond / 2, maxRate);
        var (reached, latencies) = await LiveAsync(log, topics, load, pairs, rate, warmUp, seconds);
        await joiner.StopAsync(default);
        return new JoinFigures(eventsPerSecond, examplesPerSecond, reached, At(latencies, 0.5), At(latencies, 0.99), PeakMemory.Bytes);
    }

    /// <summary>The latency of <see cref="BareCopy"/> in the joiner's place.</summary>
    public static async Task<JoinFigures> RunBareAsync(IEventLog log, ModelSpec spec, JoinLoad load, int partitions, int seconds, int rate)
    {
        await ModelTopicsSetup.EnsureAsync(log, spec, partitions, partitions);
        var topics = new ModelTopics(spec.Name);
        using var stop = new CancellationTokenSource();
        var copying = Task.Run(() => BareCopy.RunAsync(log, topics, partitions, stop.Token));
        var (reached, latencies) = await LiveAsync(log, topics, load, 0, rate, BareWarmUpSeconds, seconds);
        await stop.CancelAsync();
        await copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new JoinFigures(0, 0, reached, At(latencies, 0.5), At(latencies, 0.99), PeakMemory.Bytes);
    }

    /// <summary>Fills the topics with traffic spread over the last two minutes.</summary>
    private static async Task PreloadAsync(IEventLog log, ModelTopics topics, JoinLoad load, int pairs)
    {
        var first = DateTimeOffset.UtcNow.AddMinutes(-2).ToUnixTimeMilliseconds();
        var records = new List<NewRecord>();
        for (var pair = 0; pair < pairs; pair++)
        {
            load.Append(records, topics, pair, first + (long)(100_000.0 * pair / pairs));
            if (records.Count >= PairsAppended * JoinLoad.EventsARequestPair || pair == pairs - 1)
            {
                await log.AppendAsync(records);
                records = [];
            }
        }
    }

    private static async Task<(double Events, double Examples)> DrainAsync(Joiner joiner, int events)
    {
        // From the first event joined: finding the group and the partitions is a matter of starting, not of speed.
        while ((await joiner.StatusAsync()).EventsIn == 0)
        {
            await Task.Delay(5);
        }

        var clock = Stopwatch.StartNew();
        var cpu = Environment.CpuUsage.TotalTime;
        var before = await joiner.StatusAsync();
        JoinerStatus now;
        do
        {
            await Task.Delay(50);
            now = await joiner.StatusAsync();
        }
        while (now.EventsIn < events);

        var seconds = clock.Elapsed.TotalSeconds;
        // On a machine that others use too, the figure to compare is this one.
        cpu = Environment.CpuUsage.TotalTime - cpu;
        Console.WriteLine($"  {(now.EventsIn - before.EventsIn) / cpu.TotalSeconds:N0} events a second of processor time");
        return ((now.EventsIn - before.EventsIn) / seconds, (now.Examples - before.Examples) / seconds);
    }

    private static async Task<(double Reached, List<float> Latencies)> LiveAsync(IEventLog log, ModelTopics topics, JoinLoad load, int pairs, double rate, int warmUp, int seconds)
    {
        var sent = new long[checked((int)(rate * (warmUp + seconds) / JoinLoad.EventsARequestPair) + 10_000)];
        var latencies = new float[sent.Length];
        using var stop = new CancellationTokenSource();
        var reading = ReadAsync(log, topics, pairs, sent, latencies, stop.Token);
        var clock = Stopwatch.StartNew();
        var (next, lateMs, measured) = (0, 0.0, -1);
        var appends = new Queue<Task>();
        while (clock.Elapsed.TotalSeconds < warmUp + seconds)
        {
            var due = (int)Math.Min(clock.Elapsed.TotalSeconds * rate / JoinLoad.EventsARequestPair, sent.Length);
            if (measured < 0 && clock.Elapsed.TotalSeconds >= warmUp)
            {
                // Windows close now at the rate at which they open: the load is steady.
                (measured, lateMs) = (next, 0);
            }

            lateMs = Math.Max(lateMs, (due - next) * JoinLoad.EventsARequestPair / rate * 1000);
            var records = new List<NewRecord>((due - next) * JoinLoad.EventsARequestPair);
            var timeMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            var now = Stopwatch.GetTimestamp();
            for (; next < due && records.Count < MaxAppended; next++)
            {
                sent[next] = now;
                load.Append(records, topics, pairs + next, timeMs);
            }

            if (records.Count > 0)
            {
                appends.Enqueue(log.AppendAsync(records).AsTask());
            }

            // Acknowledgements overlap, as those of many clients do, but not without bound.
            while (appends.Count > 32 || (appends.Count > 0 && appends.Peek().IsCompleted))
            {
                await appends.Dequeue();
            }

            await Task.Delay(2);
        }

        await Task.WhenAll(appends);
        var reached = next * JoinLoad.EventsARequestPair / clock.Elapsed.TotalSeconds;
        Console.WriteLine($"  the load was at most {lateMs:N0} ms late");
        if (reached < 0.95 * rate)
        {
            Console.WriteLine($"  THE LOAD FELL SHORT: {reached:N0} of {rate:N0} events/s; the log's acknowledgements or the machine held it up");
        }

        var seen = 0;
        for (var waited = 0; waited < 100 && seen < next; waited++)
        {
            await Task.Delay(50);
            seen = latencies.Count(l => l > 0);
        }

        Console.WriteLine($"  {seen:N0} of {next:N0} actions became examples");
        await stop.CancelAsync();
        await reading;
        return (reached, [.. latencies[measured..next].Where(l => l > 0)]);
    }

    private static async Task ReadAsync(IEventLog log, ModelTopics topics, int pairs, long[] sent, float[] latencies, CancellationToken cancellationToken)
    {
        var starts = new List<PartitionOffset>();
        for (var partition = 0; partition < await log.PartitionsAsync(topics.Examples, cancellationToken); partition++)
        {
            var place = new TopicPartition(topics.Examples, partition);
            starts.Add(new PartitionOffset(place, (await log.WatermarksAsync(place, cancellationToken)).High));
        }

        await using var reader = log.OpenReader([.. starts]);
        try
        {
            while (true)
            {
                var batches = await reader.ReadAsync(10_000, TimeSpan.FromSeconds(1), cancellationToken);
                var now = Stopwatch.GetTimestamp();
                foreach (var batch in batches)
                {
                    foreach (ref readonly var record in batch.Records.Span)
                    {
                        var pair = JoinLoad.PairOfPositive(record.Value.Span) - pairs;
                        if (pair >= 0)
                        {
                            latencies[pair] = (float)Stopwatch.GetElapsedTime(sent[pair], now).TotalMilliseconds;
                        }
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }

    private static double At(List<float> values, double share)
    {
        values.Sort();
        return values.Count == 0 ? double.NaN : values[(int)((values.Count - 1) * share)];
    }
}
