using System.Globalization;
using System.Text;
using Monolith.Contracts.Grains;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Tables;

/// <summary>Rows and tables in words.</summary>
internal static class TableText
{
    /// <summary>What is known of an id.</summary>
    public static string Of(RowAnswer answer)
    {
        var row = answer.Row;
        var text = new StringBuilder();
        Add($"id {row.Id} of table '{ConsoleText.Line(answer.Table)}', shard {answer.Shard}: {row.Standing.ToString().ToLowerInvariant()}");
        Add(row.Standing switch
        {
            RowStanding.Present => $"learned from {Times(row.Occurrences)}, last of an event at {At(row.LastUpdate)}",
            RowStanding.Refused => $"seen {Times(row.Occurrences)}, which is too few for a row of its own",
            RowStanding.Unknown => "never seen, or so long ago that nothing is remembered",
            _ => "it has no row any more",
        });
        if (row.Departure is { } left)
        {
            Add($"left at {At(left.At)} ({left.Why.ToString().ToLowerInvariant()}) after {Times(left.Occurrences)}, last at {At(left.LastUpdate)}");
        }

        Add($"values{(row.Standing == RowStanding.Present ? "" : " (initial)")} {string.Join(' ', row.Values.Select(v => v.ToString("g4", CultureInfo.InvariantCulture)))}");
        return text.ToString().TrimEnd();

        void Add(string line) => text.AppendLine(line);
    }

    /// <summary>A line a table, all shards together.</summary>
    public static IEnumerable<string> Of(IReadOnlyList<ShardTables> shards) => shards
        .SelectMany(s => s.Tables)
        .GroupBy(t => t.Table)
        .Select(t => string.Create(
            CultureInfo.InvariantCulture,
            $"{ConsoleText.Line(t.Key)}: {t.Sum(s => s.Rows):N0} rows in {shards.Count} shards; bytes: {Bytes(t)}; index load {t.Min(s => s.Load):P0} to {t.Max(s => s.Load):P0}, "
            + $"{t.Sum(s => s.GrowthsWaiting)} of {t.Sum(s => s.SubTables)} sub-tables about to grow; {t.Sum(s => s.Evicted):N0} evicted; "
            + $"{t.Sum(s => s.RowsByOccurrences[0]):N0} rows seen once"));

    private static string Bytes(IEnumerable<TableReport> shards) => string.Join(", ", shards
        .SelectMany(s => s.Bytes)
        .GroupBy(b => b.Key)
        .Select(b => string.Create(CultureInfo.InvariantCulture, $"{b.Key} {b.Sum(s => s.Value):N0}")));

    private static string Times(int count) => count == 1 ? "once" : string.Create(CultureInfo.InvariantCulture, $"{count} times");

    private static string At(DateTimeOffset? time) =>
        time is { } at ? at.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "an unknown time";
}
