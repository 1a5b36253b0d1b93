using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Api;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Tests.Api;

public sealed class IngestionApiTests : IAsyncLifetime
{
    private readonly Fixture _f = new();
    private WebApplication? _app;
    private HttpClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await StartAsync(new IngestionOptions { MaxBodyBytes = 100_000, MaxBatch = 50 }, _f.Log);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _f.DisposeAsync();
    }

    [Fact]
    public async Task Plain_json_values_arrive_as_they_were_sent()
    {
        var (status, answer) = await PostAsync("impressions", """
            [{"event_id":"e1","request_id":"r1","event_time_ms":1700000000000,"shared":{"user_id":"u7","city":12,"income":1.5,"gone":null},
              "items":[{"item_id":"a","features":{"tags":["new",7,0.5],"position":1},"score":0.25}],"versions":[{"shard":-1,"epoch":2,"sequence":3}]},
             {"request_id":2,"items":[]}]
            """);
        Assert.Equal((HttpStatusCode.OK, 2), (status, answer.GetProperty("accepted").GetInt32()));
        var taken = (await _f.ReadAsync(_f.Topics.Impressions, 2)).ConvertAll(r => Impression.Parser.ParseFrom(r.Value.Span));
        var first = taken.Single(i => i.RequestId == "r1");
        Assert.Equal("u7", first.Shared["user_id"].Text);
        Assert.Equal(12, first.Shared["city"].Integer);
        Assert.Equal(1.5, first.Shared["income"].Number);
        Assert.Equal(["new", "7", "0.5"], first.Items[0].Features["tags"].List.Values);
        Assert.Equal(0.25f, first.Items[0].Score);
        Assert.Equal(new ShardVersion { Shard = -1, Epoch = 2, Sequence = 3 }, first.Versions[0]);
        Assert.Equal(_f.NowMs, taken.Single(i => i.RequestId == "2").EventTimeMs);
    }

    [Fact]
    public async Task Events_are_keyed_by_request_so_that_they_meet()
    {
        await PostAsync("impressions", """{"request_id":"r1","items":[{"item_id":"a"}]}""");
        await PostAsync("actions", """{"request_id":"r1","item_id":"a","kind":"click","value":2.5}""");
        var action = Assert.Single(await _f.ReadAsync(_f.Topics.Actions, 1));
        Assert.Equal("r1", Encoding.UTF8.GetString(action.Key.Span));
        Assert.Equal(2.5, EventAction.Parser.ParseFrom(action.Value.Span).Value);
        var partition = new TopicPartition(_f.Topics.Actions, Partitioner.Of("r1", 4));
        Assert.Equal(1, (await _f.Log.WatermarksAsync(partition, Token)).High);
        Assert.Equal(1, (await _f.Log.WatermarksAsync(partition with { Topic = _f.Topics.Impressions }, Token)).High);
    }

    [Fact]
    public async Task Protobuf_batches_are_taken()
    {
        using var content = new ByteArrayContent(
            new Actions { Actions_ = { Fixture.Action("r1", "a", _f.NowMs), Fixture.Action("r2", "b", _f.NowMs) } }.ToByteArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using var answer = await _client.PostAsync(new Uri("/v1/actions", UriKind.Relative), content, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, (await _f.ReadAsync(_f.Topics.Actions, 2)).Count);
    }

    [Theory]
    [InlineData("impressions", """{"items":[]}""", "request_id is missing")]
    [InlineData("impressions", """{"request_id":"r","items":[{"features":{}}]}""", "items[0].item_id is missing")]
    [InlineData("impressions", """{"request_id":"r","items":{}}""", "$.items: expected an array of shown items, found an object")]
    [InlineData("impressions", """{"request_id":"r","shared":{"user":{"id":1}}}""", "$.shared.user: an object is no feature value")]
    [InlineData("impressions", """[{"request_id":"r"},{"request_id":["x"]}]""", "$[1].request_id: expected a text, found an array")]
    [InlineData("impressions", """{"request_id":"r","items":[""", "The JSON is broken at line 1")]
    [InlineData("impressions", "", "The JSON is broken")]
    [InlineData("actions", """{"request_id":"r","kind":"click"}""", "item_id is missing")]
    [InlineData("actions", """{"request_id":"r","item_id":"a"}""", "kind is missing")]
    [InlineData("actions", """{"request_id":"r","item_id":"a","kind":"click","event_time_ms":"yesterday"}""", "$.event_time_ms: expected an integer, found the text \"yesterday\"")]
    [InlineData("actions", """{"request_id":"r","item_id":"a","kind":"click","event_time_ms":1731536000000}""", "ahead of the log's clock")]
    public async Task A_mistake_is_named_and_nothing_is_taken(string path, string body, string says)
    {
        var (status, answer) = await PostAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        var message = answer.TryGetProperty("errors", out var errors) ? string.Join(' ', errors.EnumerateObject().SelectMany(e => e.Value.EnumerateArray())) : answer.GetProperty("detail").GetString();
        Assert.Contains(says, message, StringComparison.Ordinal);
        foreach (var topic in new[] { _f.Topics.Impressions, _f.Topics.Actions })
        {
            Assert.Empty(await _f.ReadAsync(topic, 0));
        }
    }

    [Fact]
    public async Task Every_mistake_of_a_batch_is_listed_and_the_right_ones_are_not_taken_either()
    {
        var (_, answer) = await PostAsync("actions", """[{"request_id":"r","item_id":"a","kind":"click"},{"request_id":"r"},{}]""");
        Assert.Equal(["actions[1]", "actions[2]"], answer.GetProperty("errors").EnumerateObject().Select(e => e.Name));

        // The first twenty; more help nobody.
        (_, answer) = await PostAsync("actions", "[" + string.Join(',', Enumerable.Repeat("{}", 30)) + "]");
        Assert.Equal(20, answer.GetProperty("errors").EnumerateObject().Count());
        Assert.Empty(await _f.ReadAsync(_f.Topics.Actions, 0));
    }

    [Fact]
    public async Task A_body_or_batch_that_is_too_large_is_refused_however_it_is_sent()
    {
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync("actions", new string(' ', 100_001))).Status);
        var batch = "[" + string.Join(',', Enumerable.Repeat("""{"request_id":"r","item_id":"a","kind":"click"}""", 51)) + "]";
        var (status, answer) = await PostAsync("actions", batch);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("at most 50", answer.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // Without a length up front.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/actions") { Content = new StreamContent(new EndlessSpaces()) };
        request.Headers.TransferEncodingChunked = true;
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        try
        {
            using var chunked = await _client.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, chunked.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The server may close before the client has looked up from sending; what matters is that it did not read on.
        }
    }

    [Fact]
    public async Task A_batch_with_too_many_parts_is_refused_before_it_becomes_objects()
    {
        // Two bytes an event or item: the body is small, what would come of it is not.
        await StopAsync();
        await StartAsync(new IngestionOptions { MaxBodyBytes = 1 << 20 }, _f.Log);
        var empty = "[" + string.Join(',', Enumerable.Repeat("{}", 340_000)) + "]";
        var items = $$"""{"request_id":"r","items":{{empty}}}""";
        var before = GC.GetTotalAllocatedBytes();
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync("impressions", empty)).Status);
        var (status, answer) = await PostAsync("impressions", items);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("$.items: there are more than 10,000", answer.GetProperty("detail").GetString(), StringComparison.Ordinal);

        var events = Enumerable.Repeat<byte[]>([0x0a, 0], 500_000).SelectMany(b => b).ToArray();
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostProtobufAsync(events)).Status);
        var shown = Enumerable.Repeat<byte[]>([0x2a, 0], 500_000).SelectMany(b => b).ToArray();
        (status, answer) = await PostProtobufAsync([0x0a, 0xc0, 0x84, 0x3d, .. shown]);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("[0].items: there are 500,000; at most 10,000", answer.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // The bodies themselves, several times over, in this process's client; as objects they would be 300 MB.
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 60_000_000);
    }

    [Fact]
    public async Task A_content_coding_is_refused_as_what_it_is()
    {
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        content.Headers.ContentEncoding.Add("gzip");
        using var answer = await _client.PostAsync(new Uri("/v1/actions", UriKind.Relative), content, Token);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Contains("content coding 'gzip'", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.Equal("identity", answer.Headers.GetValues("Accept-Encoding").Single());
    }

    [Fact]
    public async Task An_id_keeps_its_digits_however_many()
    {
        await PostAsync("actions", """{"request_id":18446744073709551615,"item_id":9223372036854775808,"kind":"click"}""");
        var action = EventAction.Parser.ParseFrom(Assert.Single(await _f.ReadAsync(_f.Topics.Actions, 1)).Value.Span);
        Assert.Equal(("18446744073709551615", "9223372036854775808"), (action.RequestId, action.ItemId));
    }

    [Fact]
    public async Task Another_content_type_is_refused()
    {
        using var content = new StringContent("<xml/>", Encoding.UTF8, "text/xml");
        using var answer = await _client.PostAsync(new Uri("/v1/actions", UriKind.Relative), content, Token);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Fact]
    public async Task When_the_log_is_behind_the_answer_is_429_and_when_it_fails_503_both_with_when_to_come_back()
    {
        await StopAsync();
        await using var stuck = new StuckLog();
        await StartAsync(new IngestionOptions { MaxWaitingBytes = 100, AppendTimeout = TimeSpan.FromHours(1) }, stuck);
        const string Event = """{"request_id":"r","item_id":"a","kind":"click"}""";
        var waiting = PostAsync("actions", Event + new string(' ', 30));
        await stuck.Asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        using (var refused = await _client.PostAsync(new Uri("/v1/actions", UriKind.Relative), new StringContent(Event, Encoding.UTF8, "application/json"), Token))
        {
            Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1)), (refused.StatusCode, refused.Headers.RetryAfter!.Delta));
        }

        stuck.Fail.SetException(new EventLogException("disk full"));
        var (status, answer) = await waiting;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("disk full", answer.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // Nothing waits any more, neither what failed nor what was refused.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync("actions", Event + new string(' ', 30))).Status);
    }

    [Fact]
    public async Task A_log_that_does_not_answer_in_time_is_503()
    {
        await StopAsync();
        await using var stuck = new StuckLog();
        await StartAsync(new IngestionOptions { AppendTimeout = TimeSpan.FromSeconds(3) }, stuck);
        var waiting = PostAsync("actions", """{"request_id":"r","item_id":"a","kind":"click"}""");
        await stuck.Asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        _f.Time.Advance(TimeSpan.FromSeconds(4));
        var (status, answer) = await waiting.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("did not answer within 3 s", answer.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_just_allowed_is_taken_and_a_body_may_be_larger_than_what_may_wait()
    {
        var batch = "[" + string.Join(',', Enumerable.Range(0, 50).Select(i => $$"""{"request_id":"r{{i}}","item_id":"a","kind":"click"}""")) + "]";
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("actions", batch.PadRight(100_000))).Status);
        await StopAsync();
        await StartAsync(new IngestionOptions { MaxWaitingBytes = 100 }, _f.Log);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("actions", """{"request_id":"r","item_id":"b","kind":"click"}""".PadRight(101))).Status);
    }

    [Fact]
    public async Task An_event_that_comes_while_the_same_is_on_its_way_is_answered_when_that_one_is()
    {
        await StopAsync();
        await using var stuck = new StuckLog();
        await StartAsync(new IngestionOptions { AppendTimeout = TimeSpan.FromHours(1) }, stuck);
        const string One = """{"request_id":"r","item_id":"a","kind":"click"}""";
        const string Other = """{"request_id":"r","item_id":"b","kind":"click"}""";
        var first = PostAsync("actions", One);
        await stuck.Asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        stuck.TakesFurther = true;
        var second = PostAsync("actions", $"[{One},{Other}]");
        await stuck.Taken.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        stuck.Fail.SetException(new EventLogException("disk full"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await first).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await second).Status);

        // What the log did take is remembered.
        var (_, answer) = await PostAsync("actions", Other);
        Assert.Equal(1, answer.GetProperty("duplicates").GetInt32());
    }

    [Theory]
    [InlineData("impressions", """{"event_id":"e1","request_id":"r1","items":[{"item_id":"a"}]}""", """{"event_id":"e1","request_id":"r2"}""")]
    [InlineData("impressions", """{"request_id":"r1","items":[{"item_id":"a"}]}""", """{"request_id":"r1"}""")]
    [InlineData("actions", """{"event_id":"e1","request_id":"r","item_id":"a","kind":"click"}""", """{"event_id":"e1","request_id":"r","item_id":"b","kind":"click"}""")]
    [InlineData("actions", """{"request_id":"r","item_id":"a","kind":"click"}""", """{"kind":"click","request_id":"r","item_id":"a"}""")]
    public async Task An_event_that_is_sent_again_is_acknowledged_and_not_taken_twice(string path, string first, string again)
    {
        var (_, answer) = await PostAsync(path, $"[{first},{again}]");
        Assert.Equal((2, 1), (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("duplicates").GetInt32()));
        _f.Time.Advance(TimeSpan.FromSeconds(30));
        (_, answer) = await PostAsync(path, again);
        Assert.Equal((1, 1), (answer.GetProperty("accepted").GetInt32(), answer.GetProperty("duplicates").GetInt32()));
        Assert.Single(await _f.ReadAsync(path == "actions" ? _f.Topics.Actions : _f.Topics.Impressions, 1));
    }

    [Theory]
    [InlineData("""{"event_id":"e1","request_id":"r","item_id":"a","kind":"click"}""", """{"event_id":"e2","request_id":"r","item_id":"a","kind":"click"}""")]
    [InlineData("""{"event_id":"e1","request_id":"r","item_id":"a","kind":"click"}""", """{"request_id":"e1","item_id":"a","kind":"click"}""")]
    [InlineData("""{"request_id":"r","item_id":"a","kind":"view","value":3}""", """{"request_id":"r","item_id":"a","kind":"view","value":4}""")]
    [InlineData("""{"request_id":"r","item_id":"a","kind":"view"}""", """{"request_id":"r","item_id":"a","kind":"click"}""")]
    public async Task Other_events_are_taken(string one, string other)
    {
        await PostAsync("actions", one);
        var (_, answer) = await PostAsync("actions", other);
        Assert.Equal(0, answer.GetProperty("duplicates").GetInt32());
        Assert.Equal(2, (await _f.ReadAsync(_f.Topics.Actions, 2)).Count);
    }

    [Fact]
    public async Task An_event_sent_as_json_and_again_as_protobuf_is_one()
    {
        await PostAsync("actions", """{"event_id":"e1","request_id":"r1","item_id":"a","kind":"click"}""");
        var action = Fixture.Action("r1", "a", _f.NowMs);
        action.EventId = "e1";
        using var content = new ByteArrayContent(new Actions { Actions_ = { action } }.ToByteArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using var answer = await _client.PostAsync(new Uri("/v1/actions", UriKind.Relative), content, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Single(await _f.ReadAsync(_f.Topics.Actions, 1));
    }

    [Fact]
    public async Task An_event_that_the_log_did_not_take_is_new_when_it_is_sent_again()
    {
        await StopAsync();
        await using var stuck = new StuckLog();
        await StartAsync(new IngestionOptions { AppendTimeout = TimeSpan.FromHours(1) }, stuck);
        const string Event = """{"event_id":"e1","request_id":"r","item_id":"a","kind":"click"}""";
        stuck.Fail.SetException(new EventLogException("disk full"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync("actions", Event)).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync("actions", Event)).Status);
    }

    private async Task StartAsync(IngestionOptions options, IEventLog log)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration["urls"] = "http://127.0.0.1:0";
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(log).AddSingleton<TimeProvider>(_f.Time).AddIngestion(Fixture.Spec, options);
        _app = builder.Build();
        _app.MapIngestion();
        await _app.StartAsync(Token);
        var address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        _client = new HttpClient { BaseAddress = new Uri(address) };
        await ModelTopicsSetup.EnsureAsync(_f.Log, Fixture.Spec, 4, 4, Token);
    }

    private async Task StopAsync()
    {
        _client.Dispose();
        await _app!.StopAsync(Token);
        await _app.DisposeAsync();
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> PostProtobufAsync(byte[] impressions)
    {
        using var content = new ByteArrayContent(impressions);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using var answer = await _client.PostAsync(new Uri("/v1/impressions", UriKind.Relative), content, Token);
        return (answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync(Token)));
    }

    private async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _client.PostAsync(new Uri($"/v1/{path}", UriKind.Relative), content, Token);
        return (answer.StatusCode, JsonElement.Parse(await answer.Content.ReadAsStringAsync(Token)));
    }
}
