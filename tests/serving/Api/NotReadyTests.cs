using System.Net;
using System.Text;
using Monolith.Serving.Tests.Support;

namespace Monolith.Serving.Tests.Api;

public sealed class NotReadyTests
{
    [Fact]
    public async Task Until_the_parameters_have_come_it_is_alive_but_not_ready()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var app = new ScoringApp();
        await app.InitializeAsync();
        Assert.Equal(HttpStatusCode.OK, (await app.Client.GetAsync("/health/live", cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.Client.GetAsync("/health/ready", cancellation)).StatusCode);
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var response = await app.Client.PostAsync("/v1/models/shop/score", content, cancellation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("still loading", await response.Content.ReadAsStringAsync(cancellation), StringComparison.Ordinal);
        Assert.Contains("\"ready\":false", await app.Client.GetStringAsync("/v1/models/shop/status", cancellation), StringComparison.Ordinal);
        await app.PublishHeads();
    }
}
