using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Monolith.Events.Tests.Kafka;

/// <summary>
/// One real Apache Kafka broker for the tests that need it, from <c>../shared/kafka</c> beside the repository; where that is
/// absent they skip, unless <c>MONOLITH_REQUIRE_KAFKA=1</c>.
/// </summary>
public sealed class KafkaBroker : IAsyncLifetime
{
    private string? _scripts;
    private string? _folder;

    public string Bootstrap { get; private set; } = string.Empty;

    /// <summary>Why there is no broker; null when there is one.</summary>
    public string? Missing { get; private set; }

    public async ValueTask InitializeAsync()
    {
        _scripts = Scripts();
        if (_scripts is null || !HasJava())
        {
            Missing = _scripts is null ? "no ../shared/kafka beside the repository" : "no java on the path";
            Assert.True(Environment.GetEnvironmentVariable("MONOLITH_REQUIRE_KAFKA") != "1", $"MONOLITH_REQUIRE_KAFKA is 1, but there is {Missing}.");
            return;
        }

        _folder = Directory.CreateTempSubdirectory("monolith-kafka-").FullName;
        var port = FreePortPair();
        Bootstrap = $"127.0.0.1:{port}";
        await RunAsync("start.sh", "--dir", _folder, "--port", $"{port}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_folder is not null)
        {
            await RunAsync("stop.sh", _folder, "--kill", "--delete");
        }
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

    private async Task RunAsync(string script, params string[] arguments)
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
        Assert.True(process.ExitCode == 0, $"{script} ended with {process.ExitCode}");
    }
}
