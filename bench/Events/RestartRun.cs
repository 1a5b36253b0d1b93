using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Ingestion;
using Monolith.Ingestion.Joining;

namespace Monolith.Bench.Events;

/// <summary>How long a joiner takes to go on after a restart while many lists are pending.</summary>
internal static class RestartRun
{
    private const int Partitions = 4;
    private const int CheckpointAfter = 250_000;

    public static async Task<RestartFigures> RunAsync(ModelSpec spec, JoinLoad load, int lists)
    {
        spec = spec with { Join = spec.Join with { Window = TimeSpan.FromHours(1) } };
        var folder = Directory.CreateTempSubdirectory("monolith-bench-restart-").FullName;
        await using var log = new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = Path.Combine(folder, "log") });
        await ModelTopicsSetup.EnsureAsync(log, spec, Partitions, Partitions);
        await AppendAsync(log, new ModelTopics(spec.Name), load, lists);
        var (pauseMs, checkpoints) = (0.0, 0);
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "monolith.joiner.checkpoint.pause")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<double>((_, seconds, _, _) => (pauseMs, checkpoints) = (Math.Max(pauseMs, seconds * 1000), checkpoints + 1));
        meters.Start();
        // A joiner's status follows its next wait for events: a short one, so that it is not measured.
        var without = new JoinerOptions { MaxWait = TimeSpan.FromMilliseconds(10) };
        var with = without with { StateFolder = Path.Combine(folder, "state"), CheckpointAfter = CheckpointAfter };
        var first = await StartAsync(log, spec, with);
        var figures = new RestartFigures(await StartAsync(log, spec, with), await StartAsync(log, spec, without), pauseMs, checkpoints);
        Console.WriteLine($"first start {first:N1} s; {figures}");
        await log.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        return figures;
    }

    private static async Task AppendAsync(EmbeddedEventLog log, ModelTopics topics, JoinLoad load, int lists)
    {
        var first = DateTimeOffset.UtcNow.AddMinutes(-30).ToUnixTimeMilliseconds();
        for (var i = 0; i < lists;)
        {
            var records = new List<NewRecord>();
            for (; i < lists && records.Count < 5_000; i++)
            {
                var shown = load.Impression(i, 0, first + (long)(1_500_000.0 * i / lists));
                records.Add(new NewRecord(topics.Impressions, NewRecord.ByKey, JoinLoad.KeyOf(shown), shown));
            }

            await log.AppendAsync(records);
        }
    }

    /// <summary>Seconds from the start of a joiner until it has everything.</summary>
    private static async Task<double> StartAsync(EmbeddedEventLog log, ModelSpec spec, JoinerOptions options)
    {
        using var joiner = new Joiner(log, spec, options, TimeProvider.System, NullLogger<Joiner>.Instance);
        var clock = Stopwatch.StartNew();
        await joiner.StartAsync(default);
        while (await joiner.StatusAsync() is not { Partitions: Partitions, Lag: 0 })
        {
            await Task.Delay(5);
        }

        var seconds = clock.Elapsed.TotalSeconds;
        await joiner.StopAsync(default);
        return seconds;
    }
}

/// <summary>What was measured.</summary>
internal sealed record RestartFigures(double RestartSeconds, double RestartWithoutCheckpointSeconds, double LongestPauseMs, int Checkpoints)
{
    public override string ToString()
        => $"restart {RestartSeconds:N2} s with a checkpoint, {RestartWithoutCheckpointSeconds:N2} s without; "
            + $"{Checkpoints} checkpoints, longest pause {LongestPauseMs:N1} ms";
}
