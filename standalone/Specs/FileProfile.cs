using Monolith.Standalone.Replay;

namespace Monolith.Standalone.Specs;

/// <summary>What a sample of a file's rows says about its columns and the parts they play.</summary>
internal sealed class FileProfile
{
    /// <summary>Rows that are looked at; fewer where there are more than 200 columns.</summary>
    public const int SampleRows = 100_000;

    /// <summary>Rows through which columns of numbers, times and labels are checked to stay what they are.</summary>
    public const int CheckedRows = 2_000_000;

    private const int DistinctMax = 100_000;
    private const int AllDistinctMax = 4_000_000;
    private const int CellsMax = 20_000_000;
    private const int HeaderMax = 512;
    private const double LeakAuc = 0.98;
    private static readonly string[] UserWords = ["user", "uid", "member", "customer", "visitor", "client", "viewer"];

    private static readonly string[] ItemWords =
        ["item", "product", "document", "article", "movie", "video", "song", "track", "book", "offer", "ad", "sku"];

    private FileProfile(string path, IReadOnlyList<ColumnProfile> columns, long rows)
    {
        (Path, File, Columns, Rows) = (path, System.IO.Path.GetFileName(path), columns, rows);
        Time = Guess(c => c.TimeUnit is not null, "timestamp", "ts", "time", "date", "epoch", "created", "stamp", "when")
            ?? columns.FirstOrDefault(
                c => IsUsable(c) && c.IsSurelyTime && !c.Words.Has(UserWords) && !c.Words.Has(ItemWords));
        Label = Guess(c => c.IsLabel, "click", "clicked", "label", "target", "convert", "purchase", "bought", "y")
            ?? columns.LastOrDefault(c => IsUsable(c) && c.IsLabel);
        User = Guess(c => !IsTaken(c) && !c.IsList && !c.IsLabel, UserWords);
        Item = Guess(c => !IsTaken(c) && c != User && !c.IsList, ItemWords);
        Position = Guess(
                c => !IsTaken(c) && c.IsInteger && c is { Min: >= 0, Max: <= 10_000 }, "pos", "position", "slot", "displayrank")
            ?? columns.FirstOrDefault(c => c.Name is "rank" or "display_rank" && !IsTaken(c) && c.IsInteger && c.Min >= 0);
        Request = [.. columns.Where(IsRequest)];
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Its name.</summary>
    public string File { get; }

    /// <summary>All columns.</summary>
    public IReadOnlyList<ColumnProfile> Columns { get; }

    /// <summary>Rows in the sample.</summary>
    public long Rows { get; }

    /// <summary>The event time, if one was found.</summary>
    public ColumnProfile? Time { get; private init; }

    /// <summary>The label, if one was found.</summary>
    public ColumnProfile? Label { get; }

    /// <summary>Who asked, if such a column was found.</summary>
    public ColumnProfile? User { get; }

    /// <summary>What was shown.</summary>
    public ColumnProfile? Item { get; }

    /// <summary>Where it was shown.</summary>
    public ColumnProfile? Position { get; }

    /// <summary>Columns that seem to name a request, besides the time.</summary>
    public IReadOnlyList<ColumnProfile> Request { get; }

    /// <summary>Columns that by themselves tell the label, with the AUC.</summary>
    public IReadOnlyDictionary<ColumnProfile, double> Leaks { get; private set; } = new Dictionary<ColumnProfile, double>();

    /// <summary>Whether such columns are kept all the same, because without them nothing would be left.</summary>
    public bool KeepsLeaks { get; private set; }

    /// <summary>Share of positives among the rows with a label.</summary>
    public double Rate { get; private set; }

    /// <summary>Reads the beginning of a file.</summary>
    /// <exception cref="DataFileException">
    /// It is missing or empty, or a row is torn, or no column can be the label.
    /// </exception>
    public static FileProfile Of(string path)
    {
        using var csv = CsvRows.Open(path);
        var distinctMax = Math.Min(DistinctMax, AllDistinctMax / Math.Max(1, csv.Header.Length));
        var columns = csv.Header.Select((name, i) => new ColumnProfile(i, name, distinctMax)).ToList();
        long rows = 0;
        var sample = Math.Min(SampleRows, CellsMax / Math.Max(1, csv.Header.Length));
        for (; rows < sample && csv.Advance(); rows++)
        {
            foreach (var column in columns)
            {
                column.Add(csv.Field(column.Index).ToString());
            }
        }

        var typed = columns.Where(c => c.IsNumeric || c.IsLabel).ToList();
        for (var row = rows; row < CheckedRows && typed.Count > 0 && csv.Advance(); row++)
        {
            foreach (var column in typed)
            {
                column.Add(csv.Field(column.Index).ToString());
            }
        }

        if (rows == 0)
        {
            throw new DataFileException(
                $"{System.IO.Path.GetFileName(path)} has a header but no rows: there is nothing to look at");
        }

        var profile = new FileProfile(path, columns, rows);
        if (profile.Label is not { } label)
        {
            throw new DataFileException(
                $"{profile.File} has no column that could be the label: one with 0 and 1, true and false, or yes and no, "
                + "both of them. Make such a column of what is to be predicted (of a rating, for example, whether it is 4 or more)");
        }

        var leaks = new LeakSearch([.. columns.Where(c => profile.IsCandidate(c))], label);
        leaks.Read(path, rows);
        profile.Leaks = leaks.Areas.Where(a => a.Value > LeakAuc).ToDictionary();
        profile.KeepsLeaks = !columns.Any(profile.IsCandidate);
        profile.Rate = leaks.Rate;
        return profile;
    }

    /// <summary>The same without a time: for a file whose times cannot be read after all.</summary>
    public FileProfile WithoutTime() =>
        new(Path, Columns, Rows) { Time = null, Leaks = Leaks, KeepsLeaks = KeepsLeaks, Rate = Rate };

    /// <summary>Why a column is not a feature; null when it is one.</summary>
    public string? WhyNot(ColumnProfile column) => column switch
    {
        _ when string.IsNullOrWhiteSpace(column.Name) => "it has no name",
        _ when column.Name.Length > HeaderMax => $"its name is longer than {HeaderMax} letters",
        _ when column == Time => "the time",
        _ when column == Label => "the label",
        _ when column.Filled == 0 => "always empty",
        _ when !KeepsLeaks && Suspicion(column) is { } suspicion => $"left out: {suspicion}",
        _ when column == User || column == Item || column == Position => null,
        _ when column.IsRowNumber => "it counts the rows",
        _ => null,
    };

    /// <summary>What speaks against a column as a feature; null when nothing does.</summary>
    public string? Suspicion(ColumnProfile column) => Leaks.TryGetValue(column, out var area)
        ? FormattableString.Invariant(
            $"by itself it tells the label (AUC {area:0.000}), so it is probably known only afterwards")
        : null;

    private static bool IsUsable(ColumnProfile column) =>
        !string.IsNullOrWhiteSpace(column.Name) && column.Name.Length <= HeaderMax;

    private bool IsCandidate(ColumnProfile column) => WhyNot(column) is null;

    private bool IsRequest(ColumnProfile column) => IsUsable(column) && !IsTaken(column) && column != User && column != Item
        && column != Position && column.Filled > 0
        && (column.Words.Has("session", "request", "impression", "query", "search", "pageview") || column.Name is "step");

    private bool IsTaken(ColumnProfile column) => column == Time || column == Label;

    private ColumnProfile? Guess(Func<ColumnProfile, bool> fits, params string[] words) => words
        .Select(w => Columns.FirstOrDefault(c => IsUsable(c) && c.Filled > 0 && fits(c) && c.Words.Has(w)))
        .FirstOrDefault(c => c is not null);
}
