namespace Monolith.Bench.Table;

/// <summary>What to measure.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Dimension">Values a row: 8, 16 or 64.</param>
/// <param name="Json">Where the report goes; null: nowhere.</param>
/// <param name="Quick">Fewer rounds and smaller growth runs: under a minute.</param>
/// <param name="Matrix">Also other dimensions, 1 M rows, Zipf ids and ids without rows.</param>
/// <param name="MatrixOnly">The matrix's part of this dimension and nothing else.</param>
public sealed record TableBenchOptions(long Rows, int Dimension, string? Json, bool Quick, bool Matrix, bool MatrixOnly)
{
    public const string Usage =
        """
        usage: table [--rows N] [--dim 8|16|64] [--json FILE] [--quick] [--matrix | --matrix-only]
               inner [BenchmarkDotNet's arguments]
        """;

    /// <summary>Reads arguments; null, and a message, when they are wrong.</summary>
    public static TableBenchOptions? Parse(ReadOnlySpan<string> args)
    {
        var options = new TableBenchOptions(0, 16, null, false, false, false);
        for (var i = 0; i < args.Length; i++)
        {
            var next = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--rows" when long.TryParse(next, out var rows) && rows is >= 10_000 and <= 100_000_000:
                    options = options with { Rows = rows };
                    i++;
                    break;
                case "--dim" when next is "8" or "16" or "64":
                    options = options with { Dimension = int.Parse(next) };
                    i++;
                    break;
                case "--json" when next.Length > 0:
                    options = options with { Json = next };
                    i++;
                    break;
                case "--quick":
                    options = options with { Quick = true };
                    break;
                case "--matrix":
                    options = options with { Matrix = true };
                    break;
                case "--matrix-only":
                    options = options with { Matrix = true, MatrixOnly = true };
                    break;
                default:
                    Console.Error.WriteLine($"'{args[i]} {next}' is not understood (rows: 10,000 to 100,000,000)\n{Usage}");
                    return null;
            }
        }

        return options.Rows > 0 ? options : options with { Rows = options.Quick ? 2_000_000 : 16_000_000 };
    }
}
