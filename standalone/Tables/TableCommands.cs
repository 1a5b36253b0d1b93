using System.CommandLine;
using System.Text.Json;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Tables;

/// <summary><c>monolith explain</c> and <c>monolith tables</c>: what a running service has learned of an id, and what it keeps.</summary>
internal static class TableCommands
{
    private static readonly Option<string> Model = new("--model") { Description = "The model's name.", HelpName = "NAME", Required = true };

    private static readonly Option<string> Url = new("--url")
    {
        Description = "The running service, such as http://127.0.0.1:5080.",
        HelpName = "URL",
        Required = true,
    };

    private static readonly Option<string?> Feature = new("--feature") { Description = "A feature with rows.", HelpName = "NAME" };

    private static readonly Option<string[]> Value = new("--value")
    {
        Description = "The feature's value as in events; for a cross once for each feature that it is made of.",
        HelpName = "TEXT",
    };

    private static readonly Option<string?> Table = new("--table") { Description = "A table, instead of a feature.", HelpName = "NAME" };

    private static readonly Option<string?> Id = new("--id") { Description = "An id of that table.", HelpName = "N" };

    private static readonly Option<bool> Json = new("--json") { Description = "As JSON." };

    /// <summary><c>monolith explain</c>.</summary>
    public static Command CreateExplain()
    {
        var command = new DocumentedCommand(
            "explain",
            "Explain one value or id: whether it has a row, how often and when it was last seen, its values, and why a row left.",
            new Example("a feature's value", "explain --model demo --url http://127.0.0.1:5080 --feature item --value i17"),
            new Example("a cross", "explain --model demo --url http://127.0.0.1:5080 --feature user_x_category --value u1 --value books"),
            new Example("an id", "explain --model demo --url http://127.0.0.1:5080 --table main --id 42 --json"));
        foreach (var option in (ReadOnlySpan<Option>)[Model, Url, Feature, Value, Table, Id, Json])
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            string?[] query =
            [
                Pair("feature", parsed.GetValue(Feature)), .. (parsed.GetValue(Value) ?? []).Select(v => Pair("value", v)),
                Pair("table", parsed.GetValue(Table)), Pair("id", parsed.GetValue(Id)),
            ];
            var path = $"rows?{string.Join('&', query.Where(p => p is not null))}";
            var answer = await RunningService.Get(parsed.GetRequiredValue(Url), Path(parsed, path), TableJson.Default.RowAnswer, cancellation);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(
                parsed.GetValue(Json) ? JsonSerializer.Serialize(answer, TableJson.Default.RowAnswer) : TableText.Of(answer));
            return ExitCodes.Success;
        });
        return command;

        static string? Pair(string name, string? value) => value is null ? null : $"{name}={Uri.EscapeDataString(value)}";
    }

    /// <summary><c>monolith tables</c>.</summary>
    public static Command CreateTables()
    {
        var command = new DocumentedCommand(
            "tables",
            "Show what the tables are made of: rows, bytes by kind, index load, growth, evictions; with --json a shard, by age and frequency.",
            new Example("a line a table", "tables --model demo --url http://127.0.0.1:5080"));
        foreach (var option in (ReadOnlySpan<Option>)[Model, Url, Json])
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            var shards = await RunningService.Get(
                parsed.GetRequiredValue(Url), Path(parsed, "tables"), TableJson.Default.ShardTablesArray, cancellation);
            var lines = parsed.GetValue(Json) ? [JsonSerializer.Serialize(shards, TableJson.Default.ShardTablesArray)] : TableText.Of(shards);
            foreach (var line in lines)
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(line);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static string Path(ParseResult parsed, string path) =>
        $"/v1/models/{Uri.EscapeDataString(parsed.GetRequiredValue(Model))}/{path}";
}
