using System.Diagnostics;
using Monolith.Silos.Redis;
using StackExchange.Redis;

namespace Monolith.Silos.Tests.Support;

/// <summary>A server of a test's own that speaks Redis: the embedded one, or a real redis-server where it is installed.</summary>
public sealed class TestRedis : IAsyncDisposable
{
    private readonly IDisposable _server;

    private TestRedis(IDisposable server, int port, ConnectionMultiplexer connection)
    {
        _server = server;
        Port = port;
        Connection = connection;
    }

    public static TheoryData<string> Kinds => ["garnet", "redis-server"];

    public int Port { get; }

    public string ConnectionString => $"127.0.0.1:{Port}";

    public ConnectionMultiplexer Connection { get; }

    /// <summary>Starts a server; skips the test, with the reason, where a real one is not installed and not required.</summary>
    public static async Task<TestRedis> StartAsync(string kind = "garnet", int port = 0)
    {
        port = port == 0 ? EmbeddedRedis.FreePort() : port;
        IDisposable server = kind == "garnet" ? EmbeddedRedis.Start(port) : RealRedis.Start(port);
        var options = ConfigurationOptions.Parse($"127.0.0.1:{port},abortConnect=false,connectTimeout=2000,asyncTimeout=2000,allowAdmin=true");
        options.BacklogPolicy = BacklogPolicy.FailFast; // as the product's
        return new TestRedis(server, port, await ConnectionMultiplexer.ConnectAsync(options));
    }

    /// <summary>The server goes; the connection stays and will find the next one on the same port.</summary>
    public void StopServer() => _server.Dispose();

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        _server.Dispose();
    }

    private sealed class RealRedis(Process process) : IDisposable
    {
        public static RealRedis Start(int port)
        {
            var path = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
                .Select(p => Path.Combine(p, "redis-server")).FirstOrDefault(File.Exists);
            if (path is null)
            {
                Assert.SkipUnless(
                    Environment.GetEnvironmentVariable("MONOLITH_REQUIRE_REDIS") == "1", "redis-server is not on the PATH");
                throw new InvalidOperationException("redis-server is required here but is not on the PATH");
            }

            var start = new ProcessStartInfo(path) { RedirectStandardOutput = true };
            string[] arguments = ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
            Array.ForEach(arguments, start.ArgumentList.Add);
            var process = Process.Start(start)!;
            while (process.StandardOutput.ReadLine() is { } line && !line.Contains("eady to accept connections", StringComparison.Ordinal))
            {
                // It says what it does until it is ready.
            }

            return new RealRedis(process);
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
                process.WaitForExit(5000);
            }

            process.Dispose();
        }
    }
}
