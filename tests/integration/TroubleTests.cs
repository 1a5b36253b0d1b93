using System.Net;
using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Standalone.Hosting;

namespace Monolith.Integration.Tests;

/// <summary>What a running service does when its disk fails it, and that it stops in time however busy it is.</summary>
public sealed class TroubleTests : IDisposable
{
    private const string Yaml = """
        model: shop
        partition_by: user
        tables:
          - name: main
            segments:
              - { dimension: 1, optimizer: { kind: sgd, learning_rate: 0.1 } }
              - { dimension: 2, optimizer: { kind: sgd, learning_rate: 0.1 } }
        features: [ { name: user, kind: categorical } ]
        network: { kind: deepfm, hidden: [2] }
        tasks: [ { name: click, label: click } ]
        join: { window: 500ms, allowed_skew: 1m }
        """;

    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-trouble-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_stop_in_the_middle_of_traffic_ends_in_time()
    {
        using var folder = DataFolder.Open(_folder.FullName);
        await using var host = await Start(folder);
        using var client = new HttpClient { BaseAddress = host.Address };
        var taken = new TaskCompletionSource();
        async Task Send(int sender)
        {
            for (var i = 0; ; i++)
            {
                using var response = await Post(client, $"{sender}-{i}");
                if (i == 50)
                {
                    taken.TrySetResult();
                }
            }
        }

        Task[] senders = [.. Enumerable.Range(0, 4).Select(Send)];
        await taken.Task.WaitAsync(StopMax, Cancellation);
        await host.StopAsync().WaitAsync(StopMax, Cancellation);
        foreach (var sender in senders)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => sender.WaitAsync(StopMax, Cancellation)); // nobody listens any more
        }
    }

    [Fact]
    public async Task A_log_whose_folder_is_gone_refuses_events_and_asks_to_be_restarted()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a folder in use cannot be deleted here");
        using var folder = DataFolder.Open(_folder.FullName);
        await using var host = await Start(folder);
        using var client = new HttpClient { BaseAddress = host.Address };
        using (var accepted = await Post(client, "a"))
        {
            Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, (await Health(client)).Status);
        Directory.Delete(folder.Log, recursive: true);
        using var refused = await Post(client, "b");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Contains("is gone. Put it back and restart", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        bound.CancelAfter(StopMax);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var health = await Health(client);
        while (health.Status != HttpStatusCode.ServiceUnavailable)
        {
            await timer.WaitForNextTickAsync(bound.Token);
            health = await Health(client);
        }

        Assert.Contains("event log: Unhealthy", health.Text, StringComparison.Ordinal);
    }

    private static Task<MonolithHost> Start(DataFolder folder) => MonolithHost.StartAsync(
        new MonolithHostOptions { Spec = ModelSpecFile.Parse(Yaml, "shop.yaml"), Folder = folder, Workers = 1, Partitions = 1 }, Cancellation);

    private static async Task<HttpResponseMessage> Post(HttpClient client, string request)
    {
        using var body = new StringContent(
            $$"""{ "request_id": "{{request}}", "shared": { "user": "u" }, "items": [ { "item_id": "1" } ] }""", Encoding.UTF8, "application/json");
        return await client.PostAsync(new Uri("/v1/impressions", UriKind.Relative), body, Cancellation);
    }

    private static async Task<(HttpStatusCode Status, string Text)> Health(HttpClient client)
    {
        using var response = await client.GetAsync(new Uri("/health/live", UriKind.Relative), Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }
}
