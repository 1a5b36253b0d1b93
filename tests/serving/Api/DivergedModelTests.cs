using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Monolith.Serving.Tests.Support;

namespace Monolith.Serving.Tests.Api;

public sealed class DivergedModelTests
{
    private const string Request = """
        {
          "shared": { "user_id": 42 },
          "candidates": [ { "item_id": "i1", "features": { "item_id": "i1", "price": PRICE } } ]
        }
        """;

    [Fact]
    public async Task Scores_that_overflow_are_answered_with_what_is_the_matter_and_an_absurd_number_is_not_one_of_them()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var app = new ScoringApp
        {
            Specification = ScoringApp.Yaml.Replace("kind: uniform, low: -0.5, high: 0.5", "kind: constant, value: 3e38", StringComparison.Ordinal),
        };
        await app.InitializeAsync();
        await app.PublishHeads();
        using var diverged = await Score(app, "1");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, diverged.StatusCode);
        Assert.Contains("learning rates", (string?)(await diverged.Content.ReadFromJsonAsync<JsonNode>(cancellation))!["detail"], StringComparison.Ordinal);

        await using var sound = new ScoringApp { Specification = ScoringApp.Yaml.Replace("[ { kind: log } ]", "[]", StringComparison.Ordinal) };
        await sound.InitializeAsync();
        await sound.PublishHeads();
        using var absurd = await Score(sound, "1e300");
        Assert.Equal(HttpStatusCode.OK, absurd.StatusCode);
        using var bound = await Score(sound, "100");
        Assert.Equal(await ScoreOf(absurd, cancellation), await ScoreOf(bound, cancellation));
    }

    private static async Task<double> ScoreOf(HttpResponseMessage response, CancellationToken cancellation) =>
        (double)(await response.Content.ReadFromJsonAsync<JsonNode>(cancellation))!["scores"]![0]!["score"]!;

    private static async Task<HttpResponseMessage> Score(ScoringApp app, string price)
    {
        using var content = new StringContent(Request.Replace("PRICE", price, StringComparison.Ordinal), Encoding.UTF8, "application/json");
        return await app.Client.PostAsync("/v1/models/shop/score", content, TestContext.Current.CancellationToken);
    }
}
