using System.Globalization;
using System.Text;
using Google.Protobuf;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Events.Kafka;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>
/// A process that appends impressions and clicks, notes what was acknowledged, and joins them; to be killed at any instant.
/// <c>joiner-child FOLDER RUN [BOOTSTRAP MODEL]</c> does so for ever; run −1 only joins until nothing is pending. Without
/// Kafka's address the log is an embedded one in the folder.
/// </summary>
internal static class JoinerChild
{
    public static ModelSpec Spec { get; } = Fixture.TwoTasks with
    {
        Join = new JoinSpec
        {
            Window = TimeSpan.FromMilliseconds(300),
            AllowedSkew = TimeSpan.FromMilliseconds(100),
            Windows = [new KindWindow("buy", TimeSpan.FromMilliseconds(500))],
        },
    };

    public static async Task<int> RunAsync(string[] args)
    {
        var (folder, run) = (args[1], int.Parse(args[2], CultureInfo.InvariantCulture));
        await using var log = Open(args);
        var spec = args.Length > 4 ? Spec with { Name = args[4] } : Spec;
        await ModelTopicsSetup.EnsureAsync(log, spec, 2, 2);
        // A checkpoint every few records: most kills fall into one.
        var options = new JoinerOptions { StateFolder = Path.Combine(folder, "state"), CheckpointAfter = 40 };
        using var joiner = new Joiner(log, spec, options, TimeProvider.System, new LinesLogger<Joiner>(Console.Error.WriteLine));
        await joiner.StartAsync(default);
        await Console.Out.WriteLineAsync("started");
        if (run >= 0)
        {
            await ProduceAsync(log, spec.Name, folder, run);
        }

        while (await joiner.StatusAsync() is not { Running: true, Partitions: 2, Lag: 0, PendingItems: 0 })
        {
            await Task.Delay(20);
        }

        await joiner.StopAsync(default);
        return 0;
    }

    public static IEventLog Open(string[] args) => args.Length > 3
        ? new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = args[3] })
        : new EmbeddedEventLog(new EmbeddedEventLogOptions { Folder = Path.Combine(args[1], "log") });

    private static async Task ProduceAsync(IEventLog log, string model, string folder, int run)
    {
        await using var acknowledged = new StreamWriter(Path.Combine(folder, "acknowledged"), append: true) { AutoFlush = true };
        var topics = new ModelTopics(model);
        var random = new Random(run);
        for (var i = 0; ; i++)
        {
            var request = $"{run}-{i}";
            var nowMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            var key = Encoding.UTF8.GetBytes(request);
            await log.AppendAsync([new NewRecord(topics.Impressions, NewRecord.ByKey, key, Fixture.Impression(request, nowMs, "a", "b", "c").ToByteArray())]);
            await acknowledged.WriteLineAsync(request);
            if (random.Next(2) == 0)
            {
                var item = "abc"[random.Next(3)].ToString();
                var kind = random.Next(3) switch { 0 => "buy", 1 => "hide", _ => "click" };
                var click = new NewRecord(topics.Actions, NewRecord.ByKey, key, Fixture.Action(request, item, nowMs, kind).ToByteArray());
                await log.AppendAsync([click, click]);
            }
        }
    }
}
