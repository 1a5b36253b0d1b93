using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Monolith.Integration.Tests.Kill;

/// <summary>
/// An application that sends events and does not let go of one before it was acknowledged: while the service is down it
/// sends the same event again, under the same id, until somebody takes it.
/// </summary>
internal sealed class EventDriver(Uri address) : IDisposable
{
    private const int ItemsMax = 6;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private readonly HttpClient _http = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(3) };
    private long _shown;
    private long _again;

    /// <summary>Items of acknowledged impressions: as many examples there must be in the end.</summary>
    public long Shown => Interlocked.Read(ref _shown);

    /// <summary>Calls that were made again.</summary>
    public long Again => Interlocked.Read(ref _again);

    /// <summary>Sends requests one after another until told to stop; the one under way is finished.</summary>
    public async Task Run(int user, CancellationToken stop, CancellationToken giveUp)
    {
        var random = new Random(user);
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var request = $"u{user}-{number}";
            var items = random.Next(1, ItemsMax + 1);
            await Send("/v1/impressions", Impression(request, user, items), giveUp);
            Interlocked.Add(ref _shown, items);
            for (var item = 0; item < items; item++)
            {
                if (random.Next(3) == 0)
                {
                    await Send("/v1/actions", Click(request, item), giveUp);
                }
            }
        }
    }

    /// <summary>The status endpoint's answer; null while it does not answer.</summary>
    public async Task<JsonNode?> Status(CancellationToken cancellation)
    {
        try
        {
            return JsonNode.Parse(await _http.GetStringAsync(new Uri($"/v1/models/{KillModel.Name}/status", UriKind.Relative), cancellation));
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task Send(string path, string body, CancellationToken giveUp)
    {
        while (true)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var response = await _http.PostAsync(new Uri(path, UriKind.Relative), content, giveUp);
                if (response.IsSuccessStatusCode)
                {
                    return;
                }

                if (response.StatusCode < HttpStatusCode.InternalServerError && response.StatusCode != HttpStatusCode.TooManyRequests)
                {
                    Assert.Fail($"{path}: {await response.Content.ReadAsStringAsync(giveUp)}");
                }
            }
            catch (Exception exception) when (
                exception is HttpRequestException or IOException || (exception is TaskCanceledException && !giveUp.IsCancellationRequested))
            {
                // Down, or killed before it answered.
            }

            Interlocked.Increment(ref _again);
            await Task.Delay(Pause, giveUp);
        }
    }

    private static string Impression(string request, int user, int items) => JsonSerializer.Serialize(new
    {
        event_id = request,
        request_id = request,
        event_time_ms = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        shared = new { user = $"u{user}", probe = KillModel.Probes },
        items = Enumerable.Range(0, items).Select(i => new { item_id = $"i{i}", features = new { item = $"i{i}" } }),
    });

    private static string Click(string request, int item) => JsonSerializer.Serialize(new
    {
        event_id = $"{request}/i{item}",
        request_id = request,
        item_id = $"i{item}",
        kind = "click",
        event_time_ms = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
    });
}
