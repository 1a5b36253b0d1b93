using System.Diagnostics;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Events.Kafka;
using Monolith.Events.Tests.Kafka;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>A joiner whose only broker is restarted under it goes on by itself, and stops when it is told to.</summary>
public sealed class BrokerRestartTests
{
    private static readonly int Restarts = int.Parse(
        Environment.GetEnvironmentVariable("MONOLITH_BROKER_RESTARTS") ?? "2", CultureInfo.InvariantCulture);

    // Long enough for the client to give up its connections, and to see a broker that is not yet in its own metadata.
    private static readonly TimeSpan Down = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_joins_every_event_once_after_each_restart_and_stops_in_bounded_time()
    {
        await using var broker = new KafkaBroker();
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = await broker.BootstrapAsync() });
        var spec = Fixture.Spec with { Name = $"shop-{Guid.NewGuid():N}" };
        var topics = new ModelTopics(spec.Name);
        using var joiner = new Joiner(
            log, spec, new JoinerOptions { InputPartitions = 2, ExamplePartitions = 1 }, TimeProvider.System, NullLogger<Joiner>.Instance);
        await joiner.StartAsync(Token);
        var sent = new List<string>();
        for (var round = 0; round <= Restarts; round++)
        {
            if (round > 0)
            {
                await broker.RestartAsync(kill: round % 2 == 1, Down);
            }

            var request = $"r{round}";
            await AppendAsync(log, Record(topics.Impressions, request, Fixture.Impression(request, Now(), "a")));
            await AppendAsync(log, Record(topics.Actions, request, Fixture.Action(request, "a", Now())));
            sent.Add(request);
            Assert.Equal(sent, await PositivesAsync(log, topics, sent.Count));
        }

        await broker.RestartAsync(kill: true, TimeSpan.Zero);
        using var bound = new CancellationTokenSource(Patience);
        await joiner.StopAsync(bound.Token);
        Assert.False(bound.IsCancellationRequested, "The joiner did not stop.");
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private static NewRecord Record(string topic, string request, IMessage message)
        => new(topic, NewRecord.ByKey, Encoding.UTF8.GetBytes(request), message.ToByteArray());

    private static async Task AppendAsync(KafkaEventLog log, NewRecord record)
    {
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                await log.AppendAsync([record], Token);
                return;
            }
            catch (EventLogException) when (Stopwatch.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(100, Token);
            }
        }
    }

    /// <summary>The requests of all examples in the log, once there are so many; each example counts.</summary>
    private static async Task<List<string>> PositivesAsync(KafkaEventLog log, ModelTopics topics, int count)
    {
        await using var reader = log.OpenReader(new PartitionOffset(new TopicPartition(topics.Examples, 0), 0));
        var found = new List<string>();
        for (var started = Stopwatch.GetTimestamp(); found.Count < count && Stopwatch.GetElapsedTime(started) < Patience;)
        {
            foreach (var record in (await reader.ReadAsync(100, TimeSpan.FromSeconds(1), Token))[0].Records.ToArray())
            {
                var group = ExampleGroup.Parser.ParseFrom(record.Value.Span);
                found.AddRange(group.Examples.Select(_ => group.RequestId));
            }
        }

        return found;
    }
}
