using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Events.Kafka;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;

namespace Monolith.Integration.Tests.Servers;

/// <summary>The demo on a real Kafka and a real Redis, with the compose file's settings.</summary>
public sealed class ServerTests(ComposeServers servers, ITestOutputHelper output) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-servers-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_demo_runs_on_servers_goes_on_there_and_others_beside_it_do_not_mix_with_it()
    {
        var (kafka, redis) = await servers.AddressesAsync();
        var first = await Demo(kafka, redis, "one", 8);
        var other = await Demo(kafka, redis, "two", 3);
        var second = await Demo(kafka, redis, "one", 10);
        Assert.All([first, other, second], report => Assert.Equal(0, (int)report["errors"]!));
        // A broker that has just started takes its time over the first group and transaction: the second run counts.
        Assert.True((int)second["canaries"]! > 0, "no canary came back");
        Assert.True((long)first["examples"]! > 0);
        Assert.True((double)second["world_seconds"]! >= (double)first["world_seconds"]! + 3, "the world goes on where it was");
        Assert.True((long)second["examples"]! >= (long)first["examples"]!, "what was learned is remembered");
        Assert.True((long)other["rows"]! < (long)second["rows"]!, "the other one learned only its own");
    }

    [Fact]
    public async Task A_demo_that_keeps_nothing_leaves_no_topics_behind()
    {
        var (kafka, redis) = await servers.AddressesAsync();
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = kafka });
        var before = await log.TopicsAsync(Token);
        await Demo(kafka, redis, null, 2);
        // Kafka's own, for offsets and transactions, begin with two underscores.
        Assert.DoesNotContain((await log.TopicsAsync(Token)).Except(before), t => !t.StartsWith("__", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Dead_letters_on_kafka_are_counted_by_records_not_by_offsets()
    {
        var (kafka, _) = await servers.AddressesAsync();
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = kafka });
        var model = $"m{Guid.NewGuid():n}";
        var topic = new ModelTopics(model).DeadLetters;
        await log.CreateTopicAsync(new TopicSettings { Name = topic, Partitions = 1 }, Token);
        await using var member = await log.JoinGroupAsync($"{model}.test", topic, Token);
        await using var writer = await log.OpenWriterAsync($"{model}.test", Token);
        for (var i = 0; i < 5; i++)
        {
            // A transaction each: every second offset is a marker.
            var letter = new NewRecord(topic, 0, "r1"u8.ToArray(), Encoding.UTF8.GetBytes($"letter {i}"))
            {
                Headers = [new(AsideHeaders.Reason, Encoding.UTF8.GetBytes($"reason {i}"))],
            };
            await writer.CommitAsync(new EventTransaction([letter], member, []), Token);
        }

        using var said = new StringWriter();
        Assert.Equal(ExitCodes.Success, await MonolithCommandLine.RunAsync(["dlq", "list", "--model", model, "--kafka", kafka, "--last", "3"], said, said, Token));
        var lines = said.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["reason 2", "reason 3", "reason 4", "3 dead letters"], lines.Select(l => l.Split("  ")[^1].Trim()));

        using var shown = new StringWriter();
        var place = lines[0].Split(' ')[0];
        Assert.Equal(ExitCodes.Success, await MonolithCommandLine.RunAsync(["dlq", "show", place, "--model", model, "--kafka", kafka], shown, shown, Token));
        Assert.EndsWith("letter 2", shown.ToString().Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_learned_from_one_log_is_refused_on_another()
    {
        var (kafka, _) = await servers.AddressesAsync();
        using var folder = DataFolder.Open(Path.Combine(_folder.FullName, "data"));
        var spec = ModelSpecFile.Load(Path.Combine(AppContext.BaseDirectory, "models", "demo.yaml")) with { Name = $"m{Guid.NewGuid():n}" };
        var options = new MonolithHostOptions { Spec = spec, Folder = folder };
        await using (await MonolithHost.StartAsync(options, Token))
        {
        }

        var refused = await Assert.ThrowsAsync<DataFolderException>(
            () => MonolithHost.StartAsync(options with { Servers = new ServerOptions { Kafka = kafka } }, Token));
        Assert.Contains("learns from the event log inside it (no --kafka)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Idle_on_kafka_nothing_is_behind_though_every_transaction_ends_with_a_marker()
    {
        var (kafka, _) = await servers.AddressesAsync();
        using var folder = DataFolder.Open(Path.Combine(_folder.FullName, "data"));
        var spec = ModelSpecFile.Load(Path.Combine(AppContext.BaseDirectory, "models", "demo.yaml")) with { Name = $"m{Guid.NewGuid():n}" };
        await using var host = await MonolithHost.StartAsync(
            new MonolithHostOptions { Spec = spec, Folder = folder, Servers = new ServerOptions { Kafka = kafka } }, Token);
        using var client = new HttpClient { BaseAddress = host.Address };
        const int Requests = 20;
        for (var i = 0; i < Requests; i++)
        {
            var items = new JsonArray(new JsonObject { ["item_id"] = "x", ["features"] = new JsonObject() });
            using var shown = await client.PostAsJsonAsync("/v1/impressions", new JsonObject { ["request_id"] = $"r{i}", ["items"] = items }, Token);
            Assert.True(shown.IsSuccessStatusCode, await shown.Content.ReadAsStringAsync(Token));
            var click = new JsonObject { ["request_id"] = $"r{i}", ["item_id"] = "x", ["kind"] = "click" };
            using var done = await client.PostAsJsonAsync("/v1/actions", click, Token);
            Assert.True(done.IsSuccessStatusCode, await done.Content.ReadAsStringAsync(Token));
        }

        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Token);
        bound.CancelAfter(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var said = string.Empty;
        try
        {
            while (said != $"{Requests} examples, 0 events and 0 examples behind")
            {
                await timer.WaitForNextTickAsync(bound.Token);
                var training = (await client.GetFromJsonAsync<JsonNode>($"/v1/models/{spec.Name}/status", bound.Token))!["training"]!;
                said = $"{training["tasks"]![0]!["progressive"]!["examples"]} examples, {training["lag"]!["events"]} events and {training["lag"]!["examples"]} examples behind";
            }
        }
        catch (OperationCanceledException) when (!Token.IsCancellationRequested)
        {
            Assert.Fail(said);
        }
    }

    private async Task<JsonNode> Demo(string kafka, string redis, string? data, int seconds)
    {
        var report = Path.Combine(_folder.FullName, $"{Guid.NewGuid():n}.json");
        using var said = new StringWriter();
        using var error = new StringWriter();
        string[] kept = data is null ? [] : ["--data-dir", Path.Combine(_folder.FullName, data)];
        var code = await MonolithCommandLine.RunAsync(
            ["demo", "--kafka", kafka, "--redis", redis, "--duration", $"{seconds}", "--rate", "50", "--users", "100", "--report", report, "--quiet", .. kept],
            said, error, Token);
        output.WriteLine(said.ToString());
        Assert.True(code == ExitCodes.Success, error.ToString());
        return JsonNode.Parse(await File.ReadAllTextAsync(report, Token))!;
    }
}
