using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.CommandLine;

/// <summary>Asks a running service over HTTP, for commands that show what it holds.</summary>
internal static class RunningService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Fetches an answer.</summary>
    /// <param name="url">The service.</param>
    /// <param name="path">What is asked of it.</param>
    /// <param name="type">The answer's type.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="UsageException">The address is none, or the service says what is wrong with the question.</exception>
    /// <exception cref="HostStartException">It does not answer, or serves no such model.</exception>
    public static async Task<T> Get<T>(string url, string path, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var service) || service.Scheme is not ("http" or "https")
            || service.Query.Length + service.Fragment.Length + service.UserInfo.Length > 0)
        {
            throw new UsageException($"--url is '{url}'; allowed is one like http://127.0.0.1:5080");
        }

        // A proxy may serve it below a path of its own.
        var address = new Uri(service.GetLeftPart(UriPartial.Path).TrimEnd('/') + path);
        using var client = new HttpClient { Timeout = Patience };
        try
        {
            using var response = await client.GetAsync(address, cancellation);
            var body = await response.Content.ReadAsByteArrayAsync(cancellation);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => JsonSerializer.Deserialize(body, type)!,
                HttpStatusCode.BadRequest => throw new UsageException((string?)JsonNode.Parse(body)?["detail"] ?? "the service refuses the question"),
                HttpStatusCode.NotFound => throw new HostStartException($"{url} serves no model of that name"),
                var status => throw new HostStartException($"{address} answers {(int)status}"),
            };
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException
            || (exception is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new HostStartException($"{address} does not answer: {exception.Message}", exception);
        }
    }
}
