using System.CommandLine;
using Monolith.Contracts.Specification;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.Run;

/// <summary><c>monolith run</c>: a service for one's own events.</summary>
internal static class RunCommand
{
    private const int WorkersMax = 256;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var model = new Option<string>("--model")
        {
            Description = "The model specification (YAML); 'monolith spec init' drafts one.",
            HelpName = "SPEC",
            Required = true,
        };
        var data = new Option<string>("--data-dir")
        {
            Description = "Where events and what was learned are kept; created when missing. What 'replay' learned there is served.",
            HelpName = "DIR",
            Required = true,
        };
        var urls = new Option<string>("--urls")
        {
            Description = "What the HTTP API listens on: localhost or an address of this machine; http://*:5080 for every interface. "
                + "Several are separated by semicolons.",
            HelpName = "URL",
            DefaultValueFactory = _ => "http://127.0.0.1:5080",
        };
        var workers = new Option<int>("--workers")
        {
            Description = "Trainer workers.",
            HelpName = "N",
            DefaultValueFactory = _ => 2,
        };
        var servers = new ServerFlags();
        var command = new DocumentedCommand(
            "run",
            "Learn from events and answer scoring requests until stopped (Ctrl-C): POST /v1/impressions, POST /v1/actions, "
            + "POST /v1/models/{model}/score; /health/ready, /metrics, /v1/models/{model}/status.",
            new Example("serve the demo's model for your own events", "run --model models/demo.yaml --data-dir data"),
            new Example("serve what a replay has learned", "run --model models/trivago.yaml --data-dir replayed"),
            new Example("on real servers", "run --model models/demo.yaml --data-dir data --kafka 127.0.0.1:9092 --redis 127.0.0.1:6379"))
        {
            model,
            data,
            urls,
            workers,
        };
        servers.AddTo(command);
        command.SetAction((parsed, cancellation) => Run(
            parsed.GetRequiredValue(model),
            parsed.GetRequiredValue(data),
            parsed.GetRequiredValue(urls),
            CheckedWorkers(parsed.GetRequiredValue(workers)),
            servers.Read(parsed),
            parsed.InvocationConfiguration.Output,
            cancellation));
        return command;
    }

    /// <summary>A number of workers that makes sense.</summary>
    public static int CheckedWorkers(int workers) =>
        workers is >= 1 and <= WorkersMax ? workers : throw new UsageException($"--workers is {workers}; allowed is 1 to {WorkersMax}");

    private static async Task<int> Run(
        string model, string data, string urls, int workers, ServerOptions servers, TextWriter output, CancellationToken cancellation)
    {
        var listening = Listening.Parse(urls);
        var spec = ModelSpecFile.Load(model);
        using var folder = DataFolder.Open(data);
        var options = new MonolithHostOptions
        {
            Spec = spec,
            Folder = folder,
            Urls = urls,
            Workers = workers,
            Servers = servers,
            Logging = Logging.ToConsole,
        };
        await using var host = await MonolithHost.StartAsync(options, cancellation);
        await output.WriteLineAsync(
            $"model '{spec.Name}' is served on {string.Join(", ", host.Addresses)}, data in {folder.Path}; Ctrl-C stops");
        if (listening.Any(address => address.IsOpen))
        {
            await output.WriteLineAsync(
                "other machines can reach it: everybody who does can post events and read what is learned, since there is no "
                + "authentication; put a proxy with one in front, or listen on 127.0.0.1");
        }

        await output.FlushAsync(CancellationToken.None);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(host.Stopping, cancellation);
        await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await host.StopAsync();
        return cancellation.IsCancellationRequested
            ? ExitCodes.Success
            : throw new InvalidOperationException("a part of the service failed for good; the log says which and why");
    }
}
