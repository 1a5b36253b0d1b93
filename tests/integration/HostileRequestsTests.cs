using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Standalone.Hosting;

namespace Monolith.Integration.Tests;

/// <summary>Whatever a client sends, it is answered in bounded time and never with a server error.</summary>
public sealed class HostileRequestsTests(HostileRequestsTests.Service service) : IClassFixture<HostileRequestsTests.Service>
{
    private const string Yaml = """
        model: shop
        partition_by: user
        shards: 1
        tables:
          - name: main
            segments:
              - { dimension: 1, optimizer: { kind: ftrl, learning_rate: 0.5 } }
              - { dimension: 2, optimizer: { kind: adagrad, learning_rate: 0.05 } }
        features:
          - { name: user, kind: categorical }
          - { name: again, kind: categorical, source: user }
          - { name: item, kind: categorical }
          - { name: tags, kind: categorical, separator: "|" }
          - { name: user_x_again, kind: cross, of: [user, again] }
          - { name: price, kind: numeric, transforms: [ { kind: log } ] }
        network: { kind: deepfm, hidden: [4] }
        tasks: [ { name: click, label: click, base_rate: 0.5 } ]
        """;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_is_answered_with_a_server_error()
    {
        var answers = new Dictionary<string, int>();
        foreach (var request in Requests())
        {
            var answer = await Exchange(request);
            var status = answer.Length >= 12 && answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? answer[9..12] : "closed";
            answers[status] = answers.GetValueOrDefault(status) + 1;
            Assert.False(status[0] == '5', $"{Shown(request)}\n\n{answer}");
            Assert.True(
                status[0] is not '4' || answer.Contains("application/problem+json", StringComparison.Ordinal) || IsServersOwn(answer),
                $"{Shown(request)}\n\n{answer}");
        }

        Assert.Empty(service.Errors.Lines);
        Assert.True(answers.GetValueOrDefault("400") > 100, string.Join(' ', answers));
        Assert.True(answers.GetValueOrDefault("200") > 10, string.Join(' ', answers));
    }

    [Theory]
    [InlineData("POST", "/v1/impressions", """{"request_id":"\ud800","items":[{"item_id":"1"}]}""", "$.request_id: expected a text in valid UTF-8")]
    [InlineData("POST", "/v1/impressions", """{"request_id":"c","event_time_ms":1000000000000000000,"items":[]}""", "It looks like nanoseconds")]
    [InlineData("POST", "/v1/impressions", """{"request_id":"c","shared":{"user":"\ud800"}}""", "$.shared.user: a text is not Unicode")]
    [InlineData("POST", "/v1/impressions", """{"request_id":"c","shared":{"\ud800":1}}""", "not Unicode")]
    [InlineData("GET", "/v1/models/shop/rows?feature=user_x_again&value=1&value=2", "", "takes the field 'user' more than once")]
    [InlineData("GET", "/v1/models/shop/rows?feature=user&value=1&value=1", "", "takes one 'value'; 2 were given")]
    [InlineData("GET", "/v1/models/shop/dead-letters?last=many", "", "last is 'many'; allowed is 1 to 10000")]
    public async Task A_mistake_names_the_field_and_what_is_allowed(string method, string path, string body, string says)
    {
        var answer = await Exchange(Request(method, path, "application/json", body));
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains(says, Unescaped(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cross_of_one_field_is_explained_and_an_id_has_one_row_as_number_and_as_text()
    {
        Assert.StartsWith("HTTP/1.1 200", await Exchange(Request("GET", "/v1/models/shop/rows?feature=user_x_again&value=1&value=1", "", "")), StringComparison.Ordinal);
        const string Id = "18446744073709551615";
        var scored = await Exchange(Request("POST", "/v1/models/shop/score", "application/json", $$$"""
            {"candidates":[{"item_id":"n","features":{"item":{{{Id}}}}},{"item_id":"t","features":{"item":"{{{Id}}}"}}]}
            """));
        var scores = JsonNode.Parse(scored[scored.IndexOf('{')..(scored.LastIndexOf('}') + 1)])!["scores"]!.AsArray();
        Assert.Equal((double)scores[0]!["score"]!, (double)scores[1]!["score"]!);
    }

    private static IEnumerable<byte[]> Requests()
    {
        string[] routes =
        [
            "/v1/impressions", "/v1/actions", "/v1/models/shop/score", "/v1/models/shop/status", "/v1/models/shop/rows",
            "/v1/models/shop/tables", "/v1/models/shop/dead-letters", "/v1/models/shop/orphans", "/health/live", "/health/ready",
            "/metrics", "/v1/models/nobody/score", "/", "/v1/models/%ff%fe/score", "/v1/models/shop/rows/..%2f", "/v1/%00",
        ];
        foreach (var route in routes)
        {
            foreach (var method in (string[])["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW"])
            {
                yield return Request(method, route, "application/json", method is "GET" or "HEAD" ? "" : "{}");
            }

            foreach (var type in (string[])["", "text/xml", "application/x-protobuf", "application/json; charset=utf-16", "\u00e9", "a/b/c;;;"])
            {
                yield return Request("POST", route, type, "{\"request_id\":\"r\"}");
            }
        }

        foreach (var query in (string[])[
            "", "feature=user", "feature=user&value=", "feature=user&value=1&value=1", "feature=user&feature=item&value=1",
            "feature=user_x_again&value=1&value=1", "feature=user_x_again&value=1&value=2", "feature=price&value=1",
            "feature=tags&value=a|b", "feature=tags&value=%7C%7C", "feature=%00&value=%00", "feature=user&value=%ed%a0%80", "feature=user&value=%",
            "feature=user&value=%zz", "table=main&id=-1", "table=main&id=18446744073709551616", "table=main&id=18446744073709551615",
            "table=main&id=1&id=2", "table=%1b[2J&id=1", "last=0", "last=-1", "last=1&last=2", "last=99999999999", "last=NaN", "last=%00", "last=",
            "&&&===", "value[]=1", "feature=user&value=" + new string('9', 6000)])
        {
            foreach (var route in (string[])["rows", "dead-letters", "orphans", "tables", "status"])
            {
                yield return Request("GET", $"/v1/models/shop/{route}?{query}", "", "");
            }
        }

        string[] bodies =
        [
            """{"request_id":"r","event_time_ms":1,"shared":{"user":"u","price":1.5,"tags":["a","b"]},"items":[{"item_id":"a","features":{"item":7},"score":0.5}],"versions":[{"shard":0,"epoch":1,"sequence":2}]}""",
            """[{"request_id":"r","item_id":"a","kind":"click","event_time_ms":1,"value":2.5,"event_id":"e"}]""",
            """{"request_id":"r","shared":{"user":"u","price":1.5,"tags":["a","b"]},"candidates":[{"item_id":"a","features":{"item":7}}],"canary":true}""",
        ];
        string[] values =
        [
            "null", "true", "[]", "{}", "\"\"", "-0", "1e999", "-1e308", "1e19", "9007199254740993.0", "18446744073709551615",
            new string('9', 400), "1000000000000000000", "1795790405271000", "-9223372036854775808", "NaN", "Infinity", "\"\\ud800\"",
            "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"\u001b[2J\"", "[null]", "[[1]]", "{\"a\":{\"a\":{}}}", "[1e19]", "\"", "\\", ",", "\"\u00ff\"", "\"\u202e\"",
            $"\"{new string('x', 70_000)}\"", string.Concat(Enumerable.Repeat("[", 200)), string.Concat(Enumerable.Repeat("{\"a\":", 100)),
        ];
        foreach (var (route, body) in routes.Take(3).Zip(bodies))
        {
            foreach (var whole in values.Append("").Append(body + body).Append("\ufeff" + body))
            {
                yield return Request("POST", route, "application/json", whole);
            }

            // Each value and each name of the body in turn is something else, twice or gone.
            foreach (var (start, end) in Tokens(body))
            {
                foreach (var value in values)
                {
                    yield return Request("POST", route, "application/json", body[..start] + value + body[end..]);
                }

                yield return Request("POST", route, "application/json", body[..start] + body[start..end] + "," + body[start..]);
                yield return Request("POST", route, "application/json", body[..start]);
            }

            var latin1 = body.Replace("\"u\"", "\"M\u00fcnchen\"", StringComparison.Ordinal)
                .Replace("\"click\"", "\"cl\u00edck\"", StringComparison.Ordinal);
            yield return Request("POST", route, "application/json", Latin1(latin1));
        }

        var random = new Random(14);
        foreach (var route in routes.Take(2))
        {
            for (var i = 0; i < 200; i++)
            {
                var bytes = new byte[random.Next(1, 40)];
                random.NextBytes(bytes);
                bytes[0] = (byte)(random.Next(1, 7) << 3 | random.Next(6));
                yield return Request("POST", route, "application/x-protobuf", bytes);
            }
        }

        yield return Latin1("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n");
        yield return Latin1("GARBAGE\r\n\r\n");
        yield return Latin1($"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: x\r\n\r\n");
        yield return Latin1("POST /v1/actions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
        yield return Latin1("POST /v1/actions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}");
        yield return Latin1("POST /v1/models/shop/score HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{");
    }

    // The places of names and values in a JSON text.
    private static IEnumerable<(int Start, int End)> Tokens(string json)
    {
        for (var at = 0; at < json.Length; at++)
        {
            var start = at;
            if (json[at] == '"')
            {
                at = json.IndexOf('"', at + 1);
            }
            else if (char.IsAsciiLetterOrDigit(json[at]))
            {
                while (at + 1 < json.Length && (char.IsAsciiLetterOrDigit(json[at + 1]) || json[at + 1] == '.'))
                {
                    at++;
                }
            }
            else
            {
                continue;
            }

            yield return (start, at + 1);
        }
    }

    private static byte[] Request(string method, string path, string type, string body) =>
        Request(method, path, type, Encoding.UTF8.GetBytes(body));

    private static byte[] Request(string method, string path, string type, byte[] body) =>
    [
        .. Encoding.Latin1.GetBytes($"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + (type.Length > 0 ? $"Content-Type: {type}\r\n" : "")
            + (body.Length > 0 || method == "POST" ? $"Content-Length: {body.Length}\r\n" : "")
            + "\r\n"),
        .. body,
    ];

    // What is not a request at all is refused before any of our code sees it, with an empty body.
    private static bool IsServersOwn(string answer) =>
        answer.Contains("\r\nContent-Length: 0\r\n", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 405", StringComparison.Ordinal);

    private static string Shown(byte[] request) => Encoding.UTF8.GetString(request.AsSpan(0, Math.Min(request.Length, 1000)));

    private static string Unescaped(string answer) => answer.Replace("\\u0027", "'", StringComparison.Ordinal);

    private static byte[] Latin1(string request) => Encoding.Latin1.GetBytes(request);

    private async Task<string> Exchange(byte[] request)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        bound.CancelAfter(Bound);
        using var client = new TcpClient();
        await client.ConnectAsync(service.Address.Host, service.Address.Port, bound.Token);
        await using var stream = client.GetStream();
        var answer = new MemoryStream();
        try
        {
            await stream.WriteAsync(request, bound.Token);
            await stream.CopyToAsync(answer, bound.Token);
        }
        catch (IOException)
        {
            // The server may close as soon as it has refused.
        }

        return Encoding.UTF8.GetString(answer.ToArray());
    }

    /// <summary>One service for all requests.</summary>
    public sealed class Service : IAsyncLifetime
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-hostile-");
        private DataFolder _data = null!;
        private MonolithHost _host = null!;

        public Uri Address => _host.Address;

        public ErrorLog Errors { get; } = new();

        public async ValueTask InitializeAsync()
        {
            _data = DataFolder.Open(_folder.FullName);
            _host = await MonolithHost.StartAsync(
                new MonolithHostOptions
                {
                    Spec = ModelSpecFile.Parse(Yaml, "shop.yaml"),
                    Folder = _data,
                    Logging = builder => builder.ClearProviders().AddProvider(Errors),
                },
                Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            await _host.DisposeAsync();
            _data.Dispose();
            Errors.Dispose();
            _folder.Delete(recursive: true);
        }
    }

    /// <summary>What a run without trouble must not log: errors.</summary>
    public sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Lines.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}
