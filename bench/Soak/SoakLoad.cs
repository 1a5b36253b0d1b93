using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Monolith.Bench.Soak;

/// <summary>
/// Events at a constant rate: lists of ten items, of which one is clicked. Users and items are new again and again, so that with
/// an expiry of a minute about 24,000 rows are alive.
/// </summary>
internal sealed class SoakLoad(Uri address)
{
    public const int ExamplesPerSecond = 800;

    private const int ItemsPerList = 10;
    private const int BatchesPerSecond = 10;
    private const int ListsPerBatch = ExamplesPerSecond / ItemsPerList / BatchesPerSecond;
    private const int ListsPerItems = 2; // each set of items is shown this often
    private long _list;

    /// <summary>Sends until told to stop.</summary>
    /// <returns>Examples sent.</returns>
    public async Task<long> RunAsync(CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = address };
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / BatchesPerSecond));
        while (!stop.IsCancellationRequested)
        {
            var (impressions, actions) = (new JsonArray(), new JsonArray());
            for (var i = 0; i < ListsPerBatch; i++, _list++)
            {
                Add(impressions, actions, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            }

            await Post(client, "/v1/impressions", impressions);
            await Post(client, "/v1/actions", actions);
            await ((Task)timer.WaitForNextTickAsync(stop).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return _list * ItemsPerList;
    }

    private static async Task Post(HttpClient client, string path, JsonArray events)
    {
        using var response = await client.PostAsJsonAsync(new Uri(path, UriKind.Relative), events);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        }
    }

    private void Add(JsonArray impressions, JsonArray actions, long nowMs)
    {
        var request = string.Create(CultureInfo.InvariantCulture, $"r{_list}");
        var items = new JsonArray();
        for (var item = 0; item < ItemsPerList; item++)
        {
            items.Add(new JsonObject
            {
                ["item_id"] = $"{item}",
                ["features"] = new JsonObject { ["item"] = $"i{(_list / ListsPerItems * ItemsPerList) + item}" },
            });
        }

        impressions.Add(new JsonObject
        {
            ["request_id"] = request,
            ["event_time_ms"] = nowMs,
            ["shared"] = new JsonObject { ["user"] = $"u{_list / ListsPerItems}" },
            ["items"] = items,
        });
        actions.Add(new JsonObject
        {
            ["request_id"] = request,
            ["item_id"] = $"{_list % ItemsPerList}",
            ["kind"] = "click",
            ["event_time_ms"] = nowMs,
        });
    }
}
