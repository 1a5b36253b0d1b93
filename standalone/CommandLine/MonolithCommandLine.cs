using System.CommandLine;
using Monolith.Standalone.DeadLetters;
using Monolith.Standalone.Demo;
using Monolith.Standalone.Replay;
using Monolith.Standalone.Run;
using Monolith.Standalone.Specs;
using Monolith.Standalone.Tables;

namespace Monolith.Standalone.CommandLine;

/// <summary>The <c>monolith</c> command line: one root, its commands, and what becomes of whatever they throw.</summary>
public static class MonolithCommandLine
{
    private static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Show the stack trace of an error.",
        Recursive = true,
    };

    /// <summary>Parses and runs a command line.</summary>
    /// <param name="args">Arguments after the program's name.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Errors, one clear message each.</param>
    /// <param name="cancellation">Stops the command cleanly, as Ctrl-C does.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> args,
        TextWriter output,
        TextWriter error,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        (output, error) = (new SafeWriter(output), new SafeWriter(error));
        var parsed = Create().Parse(args.Count == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var mistake in parsed.Errors.Select(e => e.Message).Distinct())
            {
                await error.WriteLineAsync($"monolith: {mistake}");
            }

            var path = string.Join(' ', Path(parsed.CommandResult.Command).Append("--help"));
            await error.WriteLineAsync($"monolith: '{path}' shows what is allowed, with examples");
            return ExitCodes.Usage;
        }

        using var interrupts = new Interrupts(error);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(interrupts.Token, cancellation);
        try
        {
            // Signals and exceptions are handled here, in one place for all commands.
            var configuration = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(configuration, both.Token);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception exception)
        {
            await error.WriteLineAsync($"monolith: {Explain(exception)}");
            if (parsed.GetValue(Verbose))
            {
                await error.WriteLineAsync(exception.ToString());
            }

            return exception is UsageException ? ExitCodes.Usage : ExitCodes.Failure;
        }
    }

    /// <summary>The command tree.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand(
            "Monolith for .NET: a recommender that learns from what people do while they do it. "
            + "Each command runs everything it needs in this one process; nothing has to be installed.");
        root.Options.Add(Verbose);
        root.Subcommands.Add(DemoCommand.Create());
        root.Subcommands.Add(RunCommand.Create());
        root.Subcommands.Add(ReplayCommand.Create());
        root.Subcommands.Add(SpecCommand.Create());
        root.Subcommands.Add(DeadLetterCommand.Create());
        root.Subcommands.Add(TableCommands.CreateExplain());
        root.Subcommands.Add(TableCommands.CreateTables());
        TeachingHelp.Install(
            root,
            new Example("see it learn: a simulated population asks for lists and clicks", "demo"),
            new Example("serve your own events", "run --model models/demo.yaml --data-dir data"),
            new Example("what a command takes", "demo --help"));
        return root;
    }

    private static string Explain(Exception exception)
    {
        while (exception is AggregateException { InnerExceptions: [var only] })
        {
            exception = only;
        }

        var cause = exception.GetBaseException();
        return exception is OperatorException || cause == exception || exception.Message.Contains(cause.Message, StringComparison.Ordinal)
            ? exception.Message
            : $"{exception.Message} ({cause.Message})";
    }

    private static IEnumerable<string> Path(Command command) =>
        command is RootCommand
            ? ["monolith"]
            : Path(command.Parents.OfType<Command>().First()).Append(command.Name);
}
