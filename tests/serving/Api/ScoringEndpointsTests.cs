using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Monolith.Serving.Tests.Support;

namespace Monolith.Serving.Tests.Api;

public sealed class ScoringEndpointsTests(ScoringApp app) : IClassFixture<ScoringApp>
{
    private const string Request = """
        {
          "request_id": "r1",
          "shared": { "user_id": 42, "tags": ["a", "b"] },
          "candidates": [
            { "item_id": "i1", "features": { "item_id": "i1", "price": 9.5 } },
            { "item_id": "i2", "features": { "item_id": "i2", "price": 3 } },
            { "item_id": "i3" }
          ]
        }
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Candidates_are_scored_in_their_order_with_every_task_and_all_versions()
    {
        await app.PublishHeads();
        var answer = await Score(Request);
        Assert.Equal("r1", (string?)answer["request_id"]);
        var scores = answer["scores"]!.AsArray();
        Assert.Equal(["i1", "i2", "i3"], scores.Select(s => (string?)s!["item_id"]));
        Assert.All(scores, s =>
        {
            Assert.InRange((double)s!["score"]!, 0.0, 1.0);
            Assert.Equal((double)s["score"]!, (double)s["tasks"]!["click"]!);
            Assert.InRange((double)s["tasks"]!["buy"]!, 0.0, 1.0);
        });
        Assert.Equal(3, scores.Select(s => (double)s!["score"]!).Distinct().Count());
        Assert.Equal([0, 1, -1], answer["versions"]!.AsArray().Select(v => (int)v!["shard"]!));
        Assert.All(answer["versions"]!.AsArray(), v => Assert.Equal(7, (long)v!["epoch"]!));
    }

    [Fact]
    public async Task The_same_request_gives_the_same_scores_and_a_candidates_score_does_not_depend_on_the_others()
    {
        await app.PublishHeads();
        var one = await Score(Request);
        var again = await Score(Request);
        Assert.Equal(one["scores"]!.ToJsonString(), again["scores"]!.ToJsonString());
        var alone = await Score("""
            { "shared": { "user_id": 42, "tags": "a|b" }, "candidates": [ { "item_id": "i2", "features": { "item_id": "i2", "price": "3" } } ] }
            """);
        Assert.Equal(one["scores"]![1]!.ToJsonString(), alone["scores"]![0]!.ToJsonString());
        Assert.NotEmpty((string?)alone["request_id"] ?? "");
    }

    [Fact]
    public async Task The_position_is_scored_as_the_specification_says_whatever_the_request_claims()
    {
        await app.PublishHeads();
        var answer = await Score("""
            { "candidates": [ { "item_id": "a", "features": { "item_id": "x", "position": 1 } }, { "item_id": "b", "features": { "item_id": "x", "position": 9 } } ] }
            """);
        Assert.Equal((double)answer["scores"]![0]!["score"]!, (double)answer["scores"]![1]!["score"]!);
    }

    [Theory]
    [InlineData("""{ "candidates": [] }""", "'candidates' is missing or empty; a request has 1 to 5 candidates")]
    [InlineData("{}", "'candidates' is missing or empty")]
    [InlineData("""{ "candidates": [{"item_id":"a"},{"item_id":"b"},{"item_id":"c"},{"item_id":"d"},{"item_id":"e"},{"item_id":"f"}] }""", "has 6 candidates; model 'shop' takes at most 5")]
    [InlineData("""{ "candidates": [{"item_id":"a"},{"item_id":"a"}] }""", "candidates[1].item_id 'a' occurs twice")]
    [InlineData("""{ "candidates": [{"item_id":""}] }""", "candidates[0].item_id is empty")]
    [InlineData("""{ "candidates": [null] }""", "candidates[0] is null")]
    [InlineData("""{ "candidates": [{"features":{}}] }""", "'item_id'")]
    [InlineData("""{ "shared": {"usr": 1}, "candidates": [{"item_id":"a"}] }""", "shared has the unknown field 'usr'; model 'shop' takes item_id, position, price, tags, user_id")]
    [InlineData("""{ "candidates": [{"item_id":"a","features":{"colour":"red"}}] }""", "candidates[0].features has the unknown field 'colour'")]
    [InlineData("""{ "candidates": [{"item_id":"a","features":{"price":"cheap"}}] }""", "feature 'price': 'cheap' is not allowed; it takes a finite number")]
    [InlineData("""{ "candidates": [{"item_id":"a","features":{"price":true}}] }""", "a boolean is no feature value")]
    [InlineData("""{ "candidates": [{"item_id":"a","features":{"item_id":["x","y"]}}] }""", "feature 'item_id'")]
    [InlineData("""{ "candidates": [{"item_id":7}] }""", "a value is of the wrong type (at line 1, byte 30, $.candidates[0].item_id)")]
    [InlineData("""{ "candidates": 3 }""", "$.candidates")]
    [InlineData("""{ "candidtes": [] }""", "a property of this name is not known (at line 1, byte 15, $.candidtes)")]
    [InlineData("""{ "shared": {"price": 1, "price": 2}, "candidates": [{"item_id":"a"}] }""", "occurs twice")]
    [InlineData("{ \"candidates\": [\n {\"item_id\" \"a\"} ] }", "line 2, byte 13")]
    [InlineData("""{ "candidates": [ """, "it is not JSON")]
    [InlineData("", "it is not JSON")]
    [InlineData("null", "the body is null")]
    [InlineData("[1]", "the body is {")]
    [InlineData("""{ "candidates": [{"item_id":"\ud800"}] }""", "a text is not Unicode")]
    [InlineData("""{ "candidates": [{"item_id":"a","features":{"item_id":"x\udc00"}}] }""", "a text is not Unicode")]
    [InlineData("""{ "shared": {"\ud800": 1}, "candidates": [{"item_id":"a"}] }""", "not Unicode")]
    [InlineData("""{ "candidates": [{"item_id":"a","features":{"item_id":1e19}}] }""", "feature 'item_id': '1E+19' is not allowed; it takes text or a number: an id from 2^53 on")]
    public async Task A_mistake_gets_one_clear_message(string body, string says)
    {
        await app.PublishHeads();
        using var response = await Post(body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonNode>(Cancellation);
        Assert.Contains(says, (string?)problem!["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_model_is_not_found_and_the_known_ones_are_named()
    {
        using var response = await Post(Request, "shoe");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("no model 'shoe' here; there is shop", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_100_MB_is_refused_without_being_read()
    {
        await app.PublishHeads();
        var answer = await Exchange("POST /v1/models/shop/score HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n{");
        Assert.Equal("HTTP/1.1 413 Payload Too Large", answer.Split("\r\n")[0]);
        Assert.Contains("at most 65536 bytes", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_never_says_its_length_is_cut_off_at_the_limit()
    {
        await app.PublishHeads();
        var head = "POST /v1/models/shop/score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n";
        Assert.Equal("HTTP/1.1 413 Payload Too Large", (await Exchange(head + new string(' ', 0x11000))).Split("\r\n")[0]);
    }

    [Fact]
    public async Task A_canary_is_read_back_once_it_has_reached_every_shard()
    {
        await app.PublishHeads();
        var before = await Score("""{ "canary": true }""");
        Assert.Equal(0, (long)before["canary_ms"]!);
        await app.PublishCanary(0, 1, 1_700_000_000_123);
        await app.PublishCanary(1, 1, 1_700_000_000_456);
        await Eventually.True(async () =>
            (long)(await Score("""{ "canary": true }"""))["canary_ms"]! == 1_700_000_000_123);
    }

    [Fact]
    public async Task Status_and_metrics_say_what_the_replica_holds()
    {
        await app.PublishHeads();
        await Score(Request);
        var status = await app.Client.GetFromJsonAsync<JsonNode>("/v1/models/shop/status", Cancellation);
        Assert.True((bool)status!["ready"]!);
        Assert.Equal(3, status["versions"]!.AsArray().Count);
        Assert.Equal(0, (long)status["rows"]!["main"]!);
        var metrics = await app.Client.GetStringAsync("/metrics", Cancellation);
        Assert.Contains("monolith_serving_score_duration_seconds_count", metrics, StringComparison.Ordinal);
        Assert.Contains("le=\"0.001\"", metrics, StringComparison.Ordinal);
        Assert.Contains("monolith_serving_candidates", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_of_64_bits_is_one_row_as_a_number_and_as_text_and_no_two_share_one()
    {
        await app.PublishHeads();
        string[] ids = ["9223372036854775807", "9223372036854775808", "9223372036854775809", "18446744073709551614"];
        var scores = new HashSet<double>();
        foreach (var id in ids)
        {
            var answer = await Score($$"""
                { "candidates": [ { "item_id": "n", "features": { "item_id": {{id}} } }, { "item_id": "t", "features": { "item_id": "{{id}}" } } ] }
                """);
            Assert.Equal((double)answer["scores"]![0]!["score"]!, (double)answer["scores"]![1]!["score"]!);
            scores.Add((double)answer["scores"]![0]!["score"]!);
        }

        Assert.Equal(ids.Length, scores.Count);
    }

    [Theory]
    [InlineData("an id", "request_id has more than 512 bytes")]
    [InlineData("a field", "shared has the unknown field 'xxxxxxxx")]
    [InlineData("values of a feature", "feature 'tags': '10,001 values' is not allowed; it takes at most 10,000")]
    [InlineData("candidates", "the request has 20000 candidates; model 'shop' takes at most 5")]
    public async Task What_is_beyond_a_limit_is_refused_with_its_name(string what, string says)
    {
        await app.PublishHeads();
        using var response = await Post(what switch
        {
            "an id" => $$"""{ "request_id": "{{new string('s', 513)}}", "candidates": [{"item_id":"a"}] }""",
            "a field" => $$"""{ "shared": { "{{new string('x', 20_000)}}": 1 }, "candidates": [{"item_id":"a"}] }""",
            "values of a feature" => $$"""{ "shared": { "tags": "{{new string('|', 10_000)}}" }, "candidates": [{"item_id":"a"}] }""",
            _ => $$"""{ "candidates": [{{string.Join(',', Enumerable.Repeat("{}", 20_000))}}] }""",
        });
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var answer = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.InRange(answer.Length, 1, 2_000);
        Assert.Contains(says, (string?)JsonNode.Parse(answer)!["detail"], StringComparison.Ordinal);
    }

    private async Task<JsonNode> Score(string body)
    {
        using var response = await Post(body);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private Task<HttpResponseMessage> Post(string body, string model = "shop") => app.Client.PostAsync(
        new Uri($"/v1/models/{model}/score", UriKind.Relative),
        new StringContent(body, Encoding.UTF8, "application/json"),
        Cancellation);

    // Raw, since a client library may give up sending before it reads that it was refused.
    private async Task<string> Exchange(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(app.Client.BaseAddress!.Host, app.Client.BaseAddress.Port, Cancellation);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Cancellation);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Cancellation);
    }
}
