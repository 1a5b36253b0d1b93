using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;

namespace Monolith.Integration.Tests;

/// <summary>The service in one process: events in, scores out, and what it was given before.</summary>
[Collection(MeasuringCollection.Name)]
public sealed class HostTests : IDisposable
{
    private const string Yaml = """
        model: shop
        partition_by: user
        shards: 2
        source: { request: [user, time], time: time, time_unit: seconds, item: item }
        tables:
          - name: main
            segments:
              - { dimension: 1, optimizer: { kind: ftrl, learning_rate: 0.5 } }
              - { dimension: 2, optimizer: { kind: adagrad, learning_rate: 0.05 } }
        features:
          - { name: user, kind: categorical }
          - { name: item, kind: categorical }
        network: { kind: deepfm, hidden: [4] }
        tasks: [ { name: click, label: click, base_rate: 0.5 } ]
        training: { micro_batch: 8, partial_after: 10ms }
        sync: { interval: 50ms }
        join: { window: 500ms, allowed_skew: 2s }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-host-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder.FullName, "data");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_is_clicked_scores_higher_a_moment_later_and_a_restart_remembers_it_to_the_last_bit()
    {
        double[] before;
        await using (var served = await Served.Start(Data))
        {
            await Learn(served.Client);
            before = await Settled(served.Client);
            Assert.True(before is [> 0.6, < 0.4], string.Join(' ', before));
        }

        for (var restart = 0; restart < 2; restart++)
        {
            await using var served = await Served.Start(Data);
            Assert.Equal(40, await Examples(served.Client));
            Assert.Equal(before, await Scores(served.Client));
            Assert.Equal(before, await Settled(served.Client));
        }
    }

    [Fact]
    public async Task What_a_replay_has_learned_is_served_and_learned_on()
    {
        var model = Write("shop.yaml", Yaml);
        var rows = Enumerable.Range(0, 200).Select(i => $"{1_700_000_000 + (i / 2)},u{i % 7},{(i % 2 == 0 ? "liked" : "ignored")},{1 - (i % 2)}");
        var data = Write("data.csv", "time,user,item,click\n" + string.Join('\n', rows) + "\n");
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MonolithCommandLine.RunAsync(
            ["replay", "--model", model, "--data", data, "--data-dir", Data], output, error, Cancellation);
        Assert.True(code == ExitCodes.Success, error.ToString());

        await using var served = await Served.Start(Data);
        var client = served.Client;
        Assert.Equal(200, await Examples(client));
        var scores = await Scores(client);
        Assert.True(scores is [> 0.6, < 0.4], string.Join(' ', scores));
        await Post(client, "/v1/impressions", """{ "request_id": "r", "items": [ { "item_id": "x", "features": { "item": "x" } } ] }""");
        await Eventually(async () => await Examples(client) == 201);
    }

    [Fact]
    public async Task What_cannot_be_read_is_listed_by_the_running_service_with_the_reason()
    {
        await using var served = await Served.Start(Data);
        await served.Log.AppendAsync([new NewRecord("shop.impressions", 0, "k"u8.ToArray(), "no protobuf"u8.ToArray())], Cancellation);
        var said = string.Empty;
        await Eventually(async () =>
        {
            using var output = new StringWriter();
            var code = await MonolithCommandLine.RunAsync(
                ["dlq", "list", "--model", "shop", "--url", $"{served.Client.BaseAddress}"], output, output, Cancellation);
            said = output.ToString();
            Assert.True(code == ExitCodes.Success, said);
            return said.Contains("1 dead letter", StringComparison.Ordinal);
        });
        Assert.Contains("shop.impressions/0@0", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_became_of_events_is_in_the_status_and_in_the_metrics()
    {
        await using var served = await Served.Start(Data);
        const string Shown = """{ "event_id": "1", "request_id": "r", "items": [ { "item_id": "x", "features": { "item": "x" } } ] }""";
        await Post(served.Client, "/v1/impressions", Shown);
        await Post(served.Client, "/v1/impressions", Shown.Replace("\"1\"", "\"2\"", StringComparison.Ordinal));
        await Post(served.Client, "/v1/actions", """[{ "request_id": "r", "item_id": "x", "kind": "click" }, { "request_id": "r", "item_id": "y", "kind": "click" }]""");
        await served.Log.AppendAsync([new NewRecord("shop.impressions", 0, "k"u8.ToArray(), "no protobuf"u8.ToArray())], Cancellation);
        var joiner = new JsonObject();
        await Eventually(async () =>
        {
            joiner = (await Status(served.Client))["training"]!["joiner"]!.AsObject();
            return ((string[])["matched", "orphan", "dead_letter", "duplicate"]).All(outcome => (int)joiner["events"]![outcome]! == 1);
        });
        string[] expected = ["impression 2", "action 2", "request 1", "matched 1", "duplicate 1", "orphan 1", "dead_letter 1"];
        Assert.Equal(expected.Order(), joiner["events"]!.AsObject().Where(e => (int)e.Value! > 0).Select(e => $"{e.Key} {e.Value}").Order());
        Assert.Equal(["positive 1"], joiner["labels"]!.AsObject().Where(l => (int)l.Value! > 0).Select(l => $"{l.Key} {l.Value}"));
        Assert.Equal((true, 1, 4), ((bool)joiner["running"]!, (int)joiner["examples"]!, (int)joiner["partitions"]!));
        Assert.InRange((double)joiner["delay_seconds"]!, 0, 30);
        Assert.Null(joiner["last_error"]);

        await Eventually(async () => (await served.Client.GetStringAsync("/metrics", Cancellation)).Contains("\nmonolith_joiner_lag", StringComparison.Ordinal));
        var metrics = await served.Client.GetStringAsync("/metrics", Cancellation);
        Assert.Contains("\nmonolith_joiner_watermark_delay_seconds", metrics, StringComparison.Ordinal);
        Assert.Matches("\nmonolith_joiner_events_total{[^}]*outcome=\"orphan\"} [1-9]", metrics);
    }

    [Fact]
    public async Task What_was_learned_of_a_value_is_explained_by_the_running_service()
    {
        await using var served = await Served.Start(Data);
        await Learn(served.Client);
        string[] where = ["--model", "shop", "--url", $"{served.Client.BaseAddress}"];
        var (code, said) = await Run(["explain", "--feature", "item", "--value", "liked", .. where]);
        Assert.True(code == ExitCodes.Success, said);
        Assert.Contains("present", said, StringComparison.Ordinal);
        Assert.Contains("learned from 20 times", said, StringComparison.Ordinal);
        (code, said) = await Run(["explain", "--feature", "item", "--value", "nobody saw it", "--json", .. where]);
        Assert.True(code == ExitCodes.Success, said);
        var row = JsonNode.Parse(said)!["row"]!;
        Assert.Equal(("unknown", 0, 3), ((string?)row["standing"], (int)row["occurrences"]!, row["values"]!.AsArray().Count));
        (code, said) = await Run(["explain", "--feature", "itm", "--value", "liked", .. where]);
        Assert.Equal((ExitCodes.Usage, "monolith: there is no feature 'itm' with rows; there is user, item"), (code, said.Trim()));
        (code, said) = await Run(["tables", .. where]);
        Assert.True(code == ExitCodes.Success, said);
        Assert.StartsWith("main: 3 rows in 2 shards; bytes: rows ", said, StringComparison.Ordinal);
        (code, said) = await Run(["tables", "--model", "other", "--url", $"{served.Client.BaseAddress}"]);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Contains("serves no model of that name", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_said_at_once_and_the_data_folder_is_left_usable()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var url = $"http://{other.LocalEndpoint}";
        using var folder = DataFolder.Open(Data);
        var options = Options(folder) with { Urls = url };
        var exception = await Assert.ThrowsAsync<HostStartException>(() => MonolithHost.StartAsync(options, Cancellation));
        Assert.Equal($"{url} is in use by another program: stop that program, or listen elsewhere with --urls", exception.Message);
        await using var host = await Start(folder);
        Assert.NotNull(host.Services.GetRequiredService<TimeProvider>());
    }

    private static async Task<(int Code, string Said)> Run(string[] arguments)
    {
        using var output = new StringWriter();
        return (await MonolithCommandLine.RunAsync(arguments, output, output, Cancellation), output.ToString());
    }

    private static async Task Learn(HttpClient client)
    {
        for (var request = 0; request < 20; request++)
        {
            await Post(client, "/v1/impressions", $$"""
                { "request_id": "r{{request}}", "shared": { "user": "u" }, "items": [
                  { "item_id": "liked", "features": { "item": "liked" } }, { "item_id": "ignored", "features": { "item": "ignored" } } ] }
                """);
            await Post(client, "/v1/actions", $$"""{ "request_id": "r{{request}}", "item_id": "liked", "kind": "click" }""");
        }

        await Eventually(async () => await Examples(client) == 40);
    }

    /// <summary>
    /// The scores once the replica has everything learned so far: what a part counts is learned there a moment before the
    /// others have their share of it, workers have met in a round, and the delta has come.
    /// </summary>
    private static async Task<double[]> Settled(HttpClient client)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await Eventually(async () => (long)(await Answer(client))["watermark_ms"]! > now);
        return await Scores(client);
    }

    private static MonolithHostOptions Options(DataFolder folder) =>
        new() { Spec = ModelSpecFile.Parse(Yaml, "shop.yaml"), Folder = folder };

    private static Task<MonolithHost> Start(DataFolder folder) => MonolithHost.StartAsync(Options(folder), Cancellation);

    private static async Task<long> Examples(HttpClient client) =>
        (long)(await Status(client))["training"]!["tasks"]![0]!["progressive"]!["examples"]!;

    private static async Task<JsonNode> Status(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonNode>("/v1/models/shop/status", Cancellation))!;

    private static async Task<double[]> Scores(HttpClient client)
    {
        var answer = await Answer(client);
        return [.. answer["scores"]!.AsArray().Select(s => (double)s!["score"]!)];
    }

    private static Task<JsonNode> Answer(HttpClient client) => Post(client, "/v1/models/shop/score", """
        { "shared": { "user": "somebody else" }, "candidates": [
          { "item_id": "liked", "features": { "item": "liked" } }, { "item_id": "ignored", "features": { "item": "ignored" } } ] }
        """);

    private static async Task<JsonNode> Post(HttpClient client, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        bound.CancelAfter(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            await timer.WaitForNextTickAsync(bound.Token);
        }
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>A started host with a client; disposed, it has stopped cleanly and let its folder go.</summary>
    private sealed class Served : IAsyncDisposable
    {
        private readonly DataFolder _folder;
        private readonly MonolithHost _host;

        private Served(DataFolder folder, MonolithHost host)
        {
            (_folder, _host) = (folder, host);
            Client = new HttpClient { BaseAddress = host.Address };
        }

        public HttpClient Client { get; }

        public IEventLog Log => _host.Log;

        public static async Task<Served> Start(string path)
        {
            var folder = DataFolder.Open(path);
            try
            {
                return new Served(folder, await HostTests.Start(folder));
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await _host.DisposeAsync();
            _folder.Dispose();
        }
    }
}
