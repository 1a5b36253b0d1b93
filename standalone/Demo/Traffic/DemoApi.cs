using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Monolith.Standalone.Demo.Traffic;

/// <summary>
/// The HTTP client of the demo's application. A call that fails for a passing reason is tried again a few times with the
/// same body, so an event keeps its id and counts once.
/// </summary>
internal sealed partial class DemoApi : IDisposable
{
    private const int TriesMax = 6;
    private const int FirstErrorsLogged = 10;
    private const int LaterErrorsLogged = 100;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private readonly HttpClient _http;
    private readonly TrafficCounters _counters;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    public DemoApi(Uri address, TrafficCounters counters, TimeProvider clock, ILogger<DemoApi> logger)
    {
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 128 })
        {
            BaseAddress = address,
            Timeout = CallTimeout,
        };
        _counters = counters;
        _clock = clock;
        _logger = logger;
    }

    /// <summary>Asks for scores; null when that failed for good.</summary>
    public async Task<ScoreReply?> Score(string model, Action<Utf8JsonWriter> body, CancellationToken cancellation)
    {
        using var response = await Post($"/v1/models/{model}/score", body, cancellation);
        return response is null ? null : await response.Content.ReadFromJsonAsync(DemoJson.Default.ScoreReply, cancellation);
    }

    /// <summary>Sends events.</summary>
    /// <returns>Whether they were acknowledged.</returns>
    public async Task<bool> Send(string path, Action<Utf8JsonWriter> body, CancellationToken cancellation)
    {
        using var response = await Post(path, body, cancellation);
        return response is not null;
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage?> Post(string path, Action<Utf8JsonWriter> write, CancellationToken cancellation)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }

        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            HttpResponseMessage? response = null;
            string problem;
            var passing = true;
            try
            {
                using var content = new ReadOnlyMemoryContent(buffer.WrittenMemory);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                response = await _http.PostAsync(new Uri(path, UriKind.Relative), content, cancellation);
                if (response.IsSuccessStatusCode)
                {
                    return response;
                }

                passing = response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;
                problem = $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellation)}";
            }
            catch (Exception exception) when (
                exception is HttpRequestException or IOException
                || (exception is TaskCanceledException && !cancellation.IsCancellationRequested))
            {
                problem = exception.Message;
            }

            _counters.AddError();
            if (_counters.Errors <= FirstErrorsLogged || _counters.Errors % LaterErrorsLogged == 0)
            {
                LogFailed(path, attempt, problem, _counters.Errors);
            }

            var asked = response?.Headers.RetryAfter?.Delta;
            response?.Dispose();
            if (!passing || attempt == TriesMax)
            {
                return null;
            }

            await Task.Delay(asked is { } wait && wait < LongestPause ? wait : pause, _clock, cancellation);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    [LoggerMessage(LogLevel.Warning, "POST {Path}, try {Attempt}: {Problem} (error {Number} of the population)")]
    private partial void LogFailed(string path, int attempt, string problem, long number);
}
