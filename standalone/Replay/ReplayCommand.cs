using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Replay;

/// <summary><c>monolith replay</c>: learn from a file in one pass, every example scored before it is learned from.</summary>
internal static class ReplayCommand
{
    private const int WorkersMax = 256;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "The model specification (YAML).", Required = true };
        var data = new Option<string>("--data")
        {
            Description = "A CSV file with a header line, gzip or not; read as a stream, so any size will do.",
            Required = true,
        };
        var report = new Option<string?>("--report") { Description = "Write the figures to this JSON file." };
        var predictions = new Option<string?>("--predictions")
        {
            Description = "Write row number, label and score before learning of every row to this CSV file, in file order.",
        };
        var workers = new Option<int>("--workers")
        {
            Description = $"Trainer workers, each with its own share of the users and a dense replica that is averaged with the "
                + $"others' (1 to {WorkersMax}). One worker and a seed give the same figures every time.",
            DefaultValueFactory = _ => 1,
        };
        var seed = new Option<ulong?>("--seed") { Description = "Use this seed instead of the specification's." };
        var limit = new Option<long?>("--limit") { Description = "Stop after about so many rows; a request is never split." };
        var folder = new Option<string?>("--data-dir")
        {
            Description = "Keep what was learned here: 'run --data-dir' serves it and learns on, and a further replay goes on where "
                + "this one ended. Without, it is thrown away.",
        };
        workers.Validators.Add(r => Check(r, x => x is >= 1 and <= WorkersMax, $"from 1 to {WorkersMax}"));
        limit.Validators.Add(r => Check(r, x => x >= 1, "1 or more"));

        var command = new DocumentedCommand(
            "replay",
            "Learn from a file in one pass, as if it came in now: all rows of a request are scored before any of them is learned "
            + "from. Prints progressive AUC, log loss and calibration beside a baseline.",
            new Example("one worker, figures into a file", "replay --model models/trivago.yaml --data impressions.csv.gz --report report.json"),
            new Example("keep what was learned, then serve it", "replay --model shop.yaml --data history.csv --data-dir data"),
            new Example("a quick look at the first rows", "replay --model shop.yaml --data history.csv --limit 10000"))
        {
            model, data, report, predictions, workers, seed, limit, folder,
        };
        command.SetAction((parsed, cancellation) => new ReplayRunner(
            new ReplayOptions
            {
                Model = parsed.GetRequiredValue(model),
                Data = parsed.GetRequiredValue(data),
                Report = parsed.GetValue(report),
                Predictions = parsed.GetValue(predictions),
                Workers = parsed.GetValue(workers),
                Seed = parsed.GetValue(seed),
                Limit = parsed.GetValue(limit),
                DataFolder = parsed.GetValue(folder),
            },
            parsed.InvocationConfiguration.Output,
            TextWriter.Synchronized(parsed.InvocationConfiguration.Error),
            TimeProvider.System).RunAsync(cancellation));
        return command;
    }

    // What is no number at all is reported by the parser itself.
    private static void Check(OptionResult result, Predicate<long> isAllowed, string allowed)
    {
        if (result.Tokens is [var token] && long.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) && !isAllowed(value))
        {
            result.AddError($"{result.Option.Name} is '{token.Value}'; allowed: {allowed}");
        }
    }
}
