using System.Diagnostics;
using System.Globalization;
using Monolith.Events.Tests.Kafka;

namespace Monolith.Integration.Tests.Servers;

/// <summary>The health checks of the compose file, on servers with its settings: what the engine runs to know whether one serves.</summary>
public sealed class HealthCheckTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Servers of its own, since it kills them.
    private readonly ComposeServers _servers = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    [Fact]
    public async Task They_pass_on_servers_that_serve_and_fail_on_servers_that_died()
    {
        ComposeServers.Require("redis-cli");
        var (_, redis) = await _servers.AddressesAsync();
        foreach (var (service, described) in ComposeFile.Load()["services"]!.AsObject())
        {
            var check = described!["healthcheck"]!;
            var command = Here([.. check["test"]!.AsArray().Select(a => (string)a!)], redis);
            // A machine that builds beside it may take long to start a JVM: how quick it is, is not what is tested.
            Assert.True(await Passes(command, Patience), $"{service} serves, but its check fails: {string.Join(' ', command)}");
            await _servers.KillAsync(service);
            // A check that has not ended within its timeout has failed.
            var timeout = TimeSpan.ParseExact((string)check["timeout"]!, "s's'", CultureInfo.InvariantCulture);
            Assert.False(await Passes(command, timeout), $"{service} is dead, but its check passes: {string.Join(' ', command)}");
        }
    }

    /// <summary>
    /// A check as it runs here, the only place that knows how this differs from a container. A script of Kafka's image starts one
    /// class of Kafka's jars, which are what is here, without their scripts; and the servers listen elsewhere.
    /// </summary>
    private string[] Here(string[] check, string redis) => check switch
    {
        ["CMD", "/opt/kafka/bin/kafka-broker-api-versions.sh", .. var arguments] =>
        [
            "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", Path.Combine(KafkaBroker.RequireScripts(), "lib", "*"),
            "org.apache.kafka.tools.BrokerApiVersionsCommand",
            .. arguments.Select(a => a.Replace("localhost:19092", _servers.InternalKafka, StringComparison.Ordinal)),
        ],
        ["CMD", "redis-cli", .. var arguments] => ["redis-cli", "-p", redis.Split(':')[1], .. arguments],
        _ => throw new InvalidOperationException($"Say here how to run: {string.Join(' ', check)}"),
    };

    private static async Task<bool> Passes(string[] command, TimeSpan timeout)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Token);
        bound.CancelAfter(timeout);
        try
        {
            await Task.WhenAll(process.StandardOutput.ReadToEndAsync(bound.Token), process.StandardError.ReadToEndAsync(bound.Token));
            await process.WaitForExitAsync(bound.Token);
            return process.ExitCode == 0;
        }
        catch (OperationCanceledException) when (!Token.IsCancellationRequested)
        {
            process.Kill();
            await process.WaitForExitAsync(Token);
            return false;
        }
    }
}
