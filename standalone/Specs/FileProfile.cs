using Monolith.Standalone.Replay;

namespace Monolith.Standalone.Specs;

/// <summary>What a sample of a file's rows says about its columns and the parts they play.</summary>
internal sealed class FileProfile
{
    private FileProfile(string file, IReadOnlyList<ColumnProfile> columns, long rows)
    {
        File = file;
        Columns = columns;
        Rows = rows;
        Time = Guess(c => c.TimeUnit is not null, "ts", "time", "date") ?? columns.FirstOrDefault(c => c.TimeUnit is not null);
        Label = Guess(c => c.IsBinary, "click", "label", "target", "convert", "purchase")
            ?? columns.LastOrDefault(c => c.IsBinary);
        User = Guess(c => !IsTaken(c), "user", "member", "customer", "visitor", "client");
        Item = Guess(c => !IsTaken(c), "item_id", "item", "product", "document", "article", "movie", "ad_id", "sku");
        Position = Guess(c => c.IsInteger && c.Max <= 10_000, "pos", "slot_rank", "display_rank");
        Request = [.. columns.Where(c => c.IsCalled("session", "request", "impression_id", "query_id") || c.Name is "step"), Time];
    }

    /// <summary>Rows that are looked at.</summary>
    public const int SampleRows = 100_000;

    /// <summary>Name of the file.</summary>
    public string File { get; }

    /// <summary>All columns.</summary>
    public IReadOnlyList<ColumnProfile> Columns { get; }

    /// <summary>Rows in the sample.</summary>
    public long Rows { get; }

    /// <summary>The event time, if one was found.</summary>
    public ColumnProfile? Time { get; }

    /// <summary>The label, if one was found.</summary>
    public ColumnProfile? Label { get; }

    /// <summary>Who asked, if such a column was found.</summary>
    public ColumnProfile? User { get; }

    /// <summary>What was shown.</summary>
    public ColumnProfile? Item { get; }

    /// <summary>Where it was shown.</summary>
    public ColumnProfile? Position { get; }

    /// <summary>Columns that seem to name a request; the time among them.</summary>
    public IReadOnlyList<ColumnProfile?> Request { get; }

    /// <summary>Reads the beginning of a file.</summary>
    /// <exception cref="DataFileException">It is missing or empty, or a row is torn.</exception>
    public static FileProfile Of(string path)
    {
        using var csv = CsvRows.Open(path);
        var columns = csv.Header.Select(name => new ColumnProfile(name)).ToList();
        long rows = 0;
        for (; rows < SampleRows && csv.Advance(); rows++)
        {
            for (var i = 0; i < columns.Count; i++)
            {
                columns[i].Add(csv.Field(i).ToString());
            }
        }

        return rows > 0 ? new FileProfile(Path.GetFileName(path), columns, rows) : throw new DataFileException(
            $"{Path.GetFileName(path)} has a header but no rows: there is nothing to look at");
    }

    private bool IsTaken(ColumnProfile column) => column == Time || column == Label;

    private ColumnProfile? Guess(Func<ColumnProfile, bool> fits, params string[] words) =>
        words.Select(w => Columns.FirstOrDefault(c => fits(c) && c.IsCalled(w))).FirstOrDefault(c => c is not null);
}
