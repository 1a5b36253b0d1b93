using System.Net;
using System.Net.Sockets;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Tests.Run;

public sealed class RunCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-run-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_port_in_use_is_one_clear_message_and_nothing_is_started()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        var model = Model();
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MonolithCommandLine.RunAsync(
            ["run", "--model", model, "--data-dir", Path.Combine(_folder.FullName, "data"), "--urls", url], output, error,
            TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Equal(
            $"monolith: {url} is in use by another program: stop that program, or listen elsewhere with --urls",
            error.ToString().Trim().Split(" (")[0]);
        Assert.Empty(output.ToString());
    }

    [Fact]
    public async Task On_every_interface_it_says_who_can_reach_it()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var free = new TcpListener(IPAddress.Any, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        using var output = new StoppingWriter(stop);
        using var error = new StringWriter();
        var code = await MonolithCommandLine.RunAsync(
            ["run", "--model", Model(), "--data-dir", Path.Combine(_folder.FullName, "open"), "--urls", $"http://*:{port};http://127.0.0.1:0"],
            output, error, stop.Token);
        Assert.Equal((ExitCodes.Success, string.Empty), (code, error.ToString()));
        Assert.Matches($@"is served on http://\[::\]:{port}/, http://127\.0\.0\.1:\d+/, data in", output.ToString());
        Assert.Contains("everybody who does can post events", output.ToString());
    }

    private string Model()
    {
        var model = Path.Combine(_folder.FullName, "model.yaml");
        File.WriteAllText(model, """
            model: small
            partition_by: user
            tables:
              - name: main
                segments:
                  - { dimension: 1, optimizer: { kind: ftrl } }
                  - { dimension: 4, optimizer: { kind: adagrad } }
            features: [ { name: user, kind: categorical } ]
            tasks: [ { name: click, label: click } ]
            """);
        return model;
    }

    // Stops the command once it says that it serves.
    private sealed class StoppingWriter(CancellationTokenSource stop) : StringWriter
    {
        public override async Task FlushAsync(CancellationToken cancellationToken)
        {
            await base.FlushAsync(cancellationToken);
            await stop.CancelAsync();
        }
    }
}
