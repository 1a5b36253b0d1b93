using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Monolith.Events.Tests.Kafka;

/// <summary>
/// One real Apache Kafka broker for the tests that need it, from <c>../shared/kafka</c> beside the repository; where that is
/// absent they skip, unless <c>MONOLITH_REQUIRE_KAFKA=1</c>.
/// </summary>
public sealed class KafkaBroker : IAsyncDisposable
{
    private readonly Func<string> _findScripts;
    private const int Attempts = 3;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private string? _scripts;
    private string? _folder;
    private string _bootstrap = string.Empty;

    public KafkaBroker()
        : this(RequireScripts)
    {
    }

    /// <param name="findScripts">Finds, or makes, the folder of its scripts.</param>
    internal KafkaBroker(Func<string> findScripts) => _findScripts = findScripts;

    /// <summary>The broker's address; it starts when it is first asked for. Skips the test where there is none.</summary>
    public async ValueTask<string> BootstrapAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            _scripts ??= _findScripts();
            for (var attempt = 1; _bootstrap.Length == 0; attempt++)
            {
                // One start in 64 fails: the random cluster id it formats its folder with may begin with a dash.
                _folder = Directory.CreateTempSubdirectory("monolith-kafka-").FullName;
                var port = FreePortPair();
                var ended = await RunAsync("start.sh", "--dir", _folder, "--port", $"{port}");
                Assert.True(ended == 0 || attempt < Attempts, $"start.sh ended with {ended}");
                _bootstrap = ended == 0 ? $"127.0.0.1:{port}" : string.Empty;
            }

            return _bootstrap;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Stops the broker and starts it again on its folder and port.</summary>
    /// <param name="kill">Whether it is killed, or told to stop.</param>
    /// <param name="down">How long it stays away.</param>
    public async Task RestartAsync(bool kill, TimeSpan down)
    {
        Assert.Equal(0, await RunAsync("stop.sh", kill ? [_folder!, "--kill"] : [_folder!]));
        await Task.Delay(down, TestContext.Current.CancellationToken);
        Assert.Equal(0, await RunAsync("start.sh", "--dir", _folder!, "--port", _bootstrap.Split(':')[1]));
    }

    public async ValueTask DisposeAsync()
    {
        if (_bootstrap.Length > 0)
        {
            await RunAsync("stop.sh", _folder!, "--kill", "--delete");
        }

        _starting.Dispose();
    }

    /// <summary>Where Kafka's jars and scripts are. Skips the test where they, or Java, are absent.</summary>
    public static string RequireScripts()
    {
        var scripts = Scripts();
        var missing = scripts is null ? "there is no ../shared/kafka beside the repository" : HasJava() ? null : "there is no java on the path";
        Assert.False(missing is not null && Environment.GetEnvironmentVariable("MONOLITH_REQUIRE_KAFKA") == "1", $"MONOLITH_REQUIRE_KAFKA is 1, but {missing}.");
        Assert.SkipWhen(missing is not null, $"Apache Kafka is not here: {missing}");
        return scripts!;
    }

    private static string? Scripts()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Monolith.sln")))
            {
                // Beside the repository, or beside the folder it is cloned into.
                return new[] { "../shared/kafka", "../../shared/kafka" }
                    .Select(p => Path.GetFullPath(Path.Combine(folder.FullName, p)))
                    .FirstOrDefault(p => File.Exists(Path.Combine(p, "start.sh")));
            }
        }

        return null;
    }

    private static bool HasJava() => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, "java")));

    /// <summary>A free port whose successor is free too: the controller takes it.</summary>
    private static int FreePortPair()
    {
        for (var attempt = 0; attempt < 50; attempt++)
        {
            using var first = new TcpListener(IPAddress.Loopback, 0);
            first.Start();
            var port = ((IPEndPoint)first.LocalEndpoint).Port;
            try
            {
                using var second = new TcpListener(IPAddress.Loopback, port + 1);
                second.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: another pair.
            }
        }

        throw new InvalidOperationException("No two free ports in a row.");
    }

    private async Task<int> RunAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/env", ["bash", Path.Combine(_scripts!, script), .. arguments])
        {
            // Not standard output: the broker would inherit it and hold it open.
            RedirectStandardOutput = false,
            RedirectStandardError = false,
        };
        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }
}
