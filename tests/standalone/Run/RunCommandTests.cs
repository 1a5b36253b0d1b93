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
}
