using System.CommandLine;
using System.Globalization;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Events.Kafka;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Demo.Reporting;
using Monolith.Standalone.Demo.World;
using Monolith.Standalone.Hosting;
using Monolith.Standalone.Reports;
using Monolith.Standalone.Run;
using Spectre.Console;

namespace Monolith.Standalone.Demo;

/// <summary><c>monolith demo</c>: everything in one process, with a simulated population that uses it.</summary>
internal static class DemoCommand
{
    private static readonly Option<double?> Duration = new("--duration")
    {
        Description = "Seconds the population acts; without it, until Ctrl-C.",
        HelpName = "SECONDS",
    };

    private static readonly Option<int> Users = new("--users")
    {
        Description = "Users of the population.",
        HelpName = "N",
        DefaultValueFactory = _ => new WorldOptions().Users,
    };

    private static readonly Option<double> Rate = new("--rate")
    {
        Description = "Lists asked for a second.",
        HelpName = "N",
        DefaultValueFactory = _ => new DemoOptions().Rate,
    };

    private static readonly Option<ulong> Seed = new("--seed")
    {
        Description = "Seed of everything hidden in the population.",
        HelpName = "S",
        DefaultValueFactory = _ => new WorldOptions().Seed,
    };

    private static readonly Option<string?> DataDir = new("--data-dir")
    {
        Description = "Kept between runs: a second run goes on where the first stopped. Without it, a temporary folder.",
        HelpName = "DIR",
    };

    private static readonly Option<string?> Report = new("--report")
    {
        Description = "Write the figures here as JSON, also when interrupted.",
        HelpName = "FILE.json",
    };

    private static readonly Option<bool> Quiet = new("--quiet")
    {
        Description = "Log lines instead of the live console (also when the output is no terminal).",
    };

    private static readonly Option<int> Workers = new("--workers")
    {
        Description = "Trainer workers.",
        HelpName = "N",
        DefaultValueFactory = _ => new DemoOptions().Workers,
    };

    private static readonly Option<string?> Model = new("--model")
    {
        Description = "Another specification over the demo's fields (user, segment, item, category, position).",
        HelpName = "SPEC",
    };

    private static readonly ServerFlags Servers = new();

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new DocumentedCommand(
            "demo",
            "Watch it learn: event log, parameter shards, joiner, trainer and scoring API in this process, and a simulated "
            + "population with hidden, drifting tastes that asks the API for lists and clicks on what it likes.",
            new Example("watch until Ctrl-C", "demo"),
            new Example("two minutes, with a report", "demo --duration 120 --report report.json"),
            new Example("go on where the last run stopped", "demo --data-dir demo-data"),
            new Example("on real servers (docker compose up -d --wait)", "demo --kafka 127.0.0.1:9092 --redis 127.0.0.1:6379"))
        {
            Duration, Users, Rate, Seed, DataDir, Report, Quiet, Workers, Model,
        };
        Servers.AddTo(command);
        command.SetAction((parsed, cancellation) => Run(Options(parsed), parsed.InvocationConfiguration, cancellation));
        return command;
    }

    private static DemoOptions Options(ParseResult parsed)
    {
        var seconds = parsed.GetValue(Duration);
        Check(seconds is null or (> 0 and <= 1e7), Duration, seconds, "more than 0 seconds, at most 10,000,000");
        Check(parsed.GetValue(Users) is >= 1 and <= 10_000_000, Users, parsed.GetValue(Users), "1 to 10,000,000");
        Check(parsed.GetValue(Rate) is > 0 and <= 100_000, Rate, parsed.GetValue(Rate), "more than 0, at most 100,000");
        return new DemoOptions
        {
            ModelFile = parsed.GetValue(Model),
            Duration = seconds is { } s ? TimeSpan.FromSeconds(s) : null,
            World = new WorldOptions { Users = parsed.GetValue(Users), Seed = parsed.GetValue(Seed) },
            Rate = parsed.GetValue(Rate),
            DataDir = parsed.GetValue(DataDir),
            Servers = Servers.Read(parsed),
            ReportFile = parsed.GetValue(Report),
            Quiet = parsed.GetValue(Quiet),
            Workers = RunCommand.CheckedWorkers(parsed.GetValue(Workers)),
        };
    }

    private static void Check(bool holds, Option option, object? value, string allowed)
    {
        if (!holds)
        {
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {value}; allowed is {allowed}"));
        }
    }

    private static async Task<int> Run(DemoOptions options, InvocationConfiguration streams, CancellationToken cancellation)
    {
        var spec = ModelSpecFile.Load(options.ModelFile ?? Path.Combine(AppContext.BaseDirectory, "models", "demo.yaml"));
        if (options.ReportFile is { } wanted)
        {
            AtomicFile.CheckWritable(wanted);
        }

        var live = !options.Quiet && streams.Output == Console.Out && !Console.IsOutputRedirected;
        using var folder = options.DataDir is { } path ? DataFolder.Open(path) : DataFolder.Temporary();
        var specified = spec.Name;
        spec = spec with { Name = DemoState.ModelName(folder, options, specified) };
        await using var host = await MonolithHost.StartAsync(
            new MonolithHostOptions
            {
                Spec = spec,
                Folder = folder,
                Workers = options.Workers,
                Servers = options.Servers,
                // The live console owns the terminal: only what an operator must know is said there.
                Logging = live ? Logging.ErrorsToConsole : Logging.ToConsole,
            },
            cancellation);
        if (host.Log is KafkaEventLog shared && DemoState.OthersOn(await shared.TopicsAsync(cancellation), specified, spec.Name) is { } others)
        {
            await streams.Output.WriteLineAsync(others);
        }

        using var run = new DemoRun(options, spec, folder, host, TimeProvider.System);
        DemoReport report;
        using (IDemoDisplay display = live
            ? new TerminalDisplay(AnsiConsole.Console, host.Address.ToString())
            : new LogDisplay(streams.Output))
        {
            report = await run.Run(display, cancellation);
        }

        if (options.ReportFile is { } file)
        {
            report.WriteTo(file);
        }

        await Summarize(report, streams.Output);
        var failed = host.Stopping.IsCancellationRequested;
        await host.StopAsync();
        if (options.DataDir is null && host.Log is KafkaEventLog kafka)
        {
            // As the temporary folder: nothing is left of a demo that nobody asked to keep.
            await kafka.DeleteTopicsAsync(new ModelTopics(spec.Name).All, CancellationToken.None);
        }

        return failed ? throw new InvalidOperationException("a part of the service failed for good; the log says which and why")
            : report.Interrupted && options.Duration is not null ? ExitCodes.Interrupted
            : ExitCodes.Success;
    }

    private static Task Summarize(DemoReport report, TextWriter output) => output.WriteLineAsync(string.Create(
        CultureInfo.InvariantCulture,
        $"served AUC {DemoView.Number(report.Auc)}, baseline (position) {DemoView.Number(report.BaselineAuc)}, "
        + $"calibration {DemoView.Number(report.Calibration, "0.00")}; {report.Events} events, {report.Examples} examples; "
        + $"click to score p50 {DemoView.Milliseconds(report.FreshnessP50Seconds)}, p99 {DemoView.Milliseconds(report.FreshnessP99Seconds)}; "
        + $"{report.Rows} rows, {report.Errors} errors"));
}
