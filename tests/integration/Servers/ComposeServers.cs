using System.Diagnostics;
using Monolith.Events.Tests.Kafka;
using Monolith.Silos.Redis;

[assembly: AssemblyFixture(typeof(Monolith.Integration.Tests.Servers.ComposeServers))]

namespace Monolith.Integration.Tests.Servers;

/// <summary>
/// A real Kafka and a real Redis of this machine with the very settings of the compose file; only addresses and folders
/// differ. Tests skip where one is absent, unless it is required.
/// </summary>
public sealed class ComposeServers : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    // So that the broker says on standard output when it serves.
    private const string Log4J = """
        appender.out.type = Console
        appender.out.name = out
        appender.out.layout.type = PatternLayout
        appender.out.layout.pattern = %p %m%n
        rootLogger.level = INFO
        rootLogger.appenderRef.out.ref = out
        """;

    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("monolith-servers-").FullName;
    private readonly List<Process> _processes = [];
    private readonly Dictionary<string, Process> _servers = [];
    private (string Kafka, string Redis) _addresses;

    /// <summary>Where Kafka listens for other containers, once it has started.</summary>
    public string InternalKafka { get; private set; } = string.Empty;

    /// <summary>Where they listen; started when first asked for.</summary>
    public async ValueTask<(string Kafka, string Redis)> AddressesAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_addresses.Kafka is null)
            {
                var jars = Path.Combine(KafkaBroker.RequireScripts(), "lib", "*");
                var redis = Require("redis-server");
                using var bound = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
                bound.CancelAfter(Patience);
                _addresses = (await StartKafka(jars, bound.Token), await StartRedis(redis, bound.Token));
            }

            return _addresses;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Ends the server of a service, as a crash would.</summary>
    public async Task KillAsync(string service)
    {
        _servers[service].Kill();
        await _servers[service].WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }

        _starting.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> StartKafka(string jars, CancellationToken cancellation)
    {
        var properties = ComposeFile.KafkaProperties();
        int external = EmbeddedRedis.FreePort(), inner = EmbeddedRedis.FreePort(), controller = EmbeddedRedis.FreePort();
        foreach (var (name, value) in properties)
        {
            properties[name] = value
                .Replace("EXTERNAL://:9092", $"EXTERNAL://127.0.0.1:{external}", StringComparison.Ordinal)
                .Replace("EXTERNAL://127.0.0.1:9092", $"EXTERNAL://127.0.0.1:{external}", StringComparison.Ordinal)
                .Replace("INTERNAL://:19092", $"INTERNAL://127.0.0.1:{inner}", StringComparison.Ordinal)
                .Replace("INTERNAL://kafka:19092", $"INTERNAL://127.0.0.1:{inner}", StringComparison.Ordinal)
                .Replace("localhost:9093", $"localhost:{controller}", StringComparison.Ordinal);
        }

        properties["log.dirs"] = Path.Combine(_folder, "kafka");
        var file = Path.Combine(_folder, "server.properties");
        await File.WriteAllLinesAsync(file, properties.Select(p => $"{p.Key}={p.Value}"), cancellation);
        var environment = ComposeFile.Load()["services"]!["kafka"]!["environment"]!;
        var format = Start("java", ["-cp", jars, "kafka.tools.StorageTool", "format", "-t", (string)environment["CLUSTER_ID"]!, "-c", file]);
        var said = await format.StandardOutput.ReadToEndAsync(cancellation);
        await format.WaitForExitAsync(cancellation);
        Assert.True(format.ExitCode == 0, said);
        string[] heap = ((string)environment["KAFKA_HEAP_OPTS"]!).Split(' ');
        var logging = Path.Combine(_folder, "log4j2.properties");
        await File.WriteAllTextAsync(logging, Log4J, cancellation);
        var broker = _servers["kafka"] = Start("java", [.. heap, "-XX:TieredStopAtLevel=1", $"-Dlog4j2.configurationFile={logging}", "-cp", jars, "kafka.Kafka", file]);
        await Until(broker, "Kafka Server started", cancellation);
        InternalKafka = $"127.0.0.1:{inner}";
        return $"127.0.0.1:{external}";
    }

    private async Task<string> StartRedis(string program, CancellationToken cancellation)
    {
        var port = EmbeddedRedis.FreePort();
        var command = ComposeFile.Load()["services"]!["redis"]!["command"]!.AsArray().Select(a => (string)a!).Skip(1);
        var data = Directory.CreateDirectory(Path.Combine(_folder, "redis")).FullName;
        var server = _servers["redis"] = Start(program, [.. command, "--port", $"{port}", "--bind", "127.0.0.1", "--dir", data]);
        await Until(server, "eady to accept connections", cancellation);
        return $"127.0.0.1:{port}";
    }

    private static async Task Until(Process process, string sign, CancellationToken cancellation)
    {
        var said = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            said.Add(line);
            if (line.Contains(sign, StringComparison.Ordinal))
            {
                // It goes on talking; nobody may let its pipe run full.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                return;
            }
        }

        Assert.Fail($"{process.StartInfo.FileName} ended before it served:\n{string.Join('\n', said.TakeLast(20))}");
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, WorkingDirectory = _folder };
        Array.ForEach(arguments, start.ArgumentList.Add);
        var process = Process.Start(start)!;
        _processes.Add(process);
        return process;
    }

    /// <summary>Where a program of Redis is. Skips the test where there is none, unless it is required.</summary>
    internal static string Require(string program)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
            .Select(p => Path.Combine(p, program)).FirstOrDefault(File.Exists);
        Assert.False(
            path is null && Environment.GetEnvironmentVariable("MONOLITH_REQUIRE_REDIS") == "1", $"MONOLITH_REQUIRE_REDIS is 1, but {program} is not on the PATH.");
        Assert.SkipWhen(path is null, $"{program} is not on the PATH");
        return path!;
    }
}
