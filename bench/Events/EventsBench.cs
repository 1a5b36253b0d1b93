using System.Globalization;
using System.Text.Json;
using Monolith.Contracts.Specification;
using Monolith.Events.Embedded;
using Monolith.Events.Kafka;

namespace Monolith.Bench.Events;

/// <summary>
/// The joiner's figures on each log: the most events a second it joins from a log that is ahead of it, and how long an action
/// takes to become an example at half that rate, from before it is appended to when a reader has the example.
/// </summary>
internal static class EventsBench
{
    public const string Usage =
        "usage: bench events [--json FILE] [--kafka HOST:PORT] [--partitions N] [--events N] [--seconds S] [--items N] [--max-rate N] [--embedded no] [--bare RATE] | --pending ITEMS [--json FILE]";

    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Length % 2 != 0 || args.Where((_, i) => i % 2 == 0).Any(a => a is not ("--json" or "--kafka" or "--partitions" or "--events" or "--seconds" or "--items" or "--max-rate" or "--embedded" or "--bare" or "--pending")))
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }

        string? Value(string name) => Array.IndexOf(args, name) is var at and >= 0 ? args[at + 1] : null;
        int Number(string name, int otherwise) => Value(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        var load = new JoinLoad(Number("--items", 10));
        if (Value("--pending") is not null)
        {
            var lists = Number("--pending", 0) / Number("--items", 10);
            PendingRun.Run(Spec("bench"), load, lists);
            var restarts = await RestartRun.RunAsync(Spec("bench"), load, lists);
            if (Value("--json") is { } to)
            {
                await File.WriteAllTextAsync(to, JsonSerializer.Serialize(restarts, JoinFigures.Json));
            }

            return 0;
        }

        var partitions = Number("--partitions", 4);
        var events = Number("--events", 1_000_000);
        var seconds = Number("--seconds", 10);
        var maxRate = Number("--max-rate", int.MaxValue);
        var results = new Dictionary<string, JoinFigures>();
        var folder = Directory.CreateTempSubdirectory("monolith-bench-events-").FullName;
        if (Value("--embedded") != "no")
        {
            await using var log = new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = folder });
            results["embedded"] = await JoinBench.RunAsync(log, Spec("bench"), load, partitions, events, seconds, maxRate);
        }

        Directory.Delete(folder, recursive: true);
        if (Value("--kafka") is { } bootstrap)
        {
            await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = bootstrap });
            if (Value("--bare") is not null)
            {
                results["bare"] = await JoinBench.RunBareAsync(log, Spec($"bench-{Guid.NewGuid():N}"), load, partitions, seconds, Number("--bare", 0));
            }

            results["kafka"] = await JoinBench.RunAsync(log, Spec($"bench-{Guid.NewGuid():N}"), load, partitions, events, seconds, maxRate);
        }

        foreach (var (name, figures) in results)
        {
            Console.WriteLine($"{name}: {figures}");
        }

        if (Value("--json") is { } file)
        {
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(results, JoinFigures.Json));
        }

        return 0;
    }

    private static ModelSpec Spec(string name) => new()
    {
        Name = name,
        PartitionBy = "user",
        Features = [new CategoricalFeature { Name = "user", Source = "user_id", Table = "main" }],
        Tables = [new TableSpec { Name = "main", Segments = [new SegmentSpec { Dimension = 1, Optimizer = new SgdOptimizer() }] }],
        Network = new DeepFmNetwork(),
        Tasks = [new TaskSpec { Name = "click", Label = "click" }],
        Join = new JoinSpec { Window = TimeSpan.FromSeconds(10), AllowedSkew = TimeSpan.FromSeconds(2) },
    };
}
