using Monolith.Contracts.Specification;

namespace Monolith.Standalone.Replay;

/// <summary>Which columns of a file a specification reads. Places are those among <see cref="Kept"/>.</summary>
internal sealed class CsvColumns
{
    private readonly List<int> _kept = [];
    private readonly string _file;
    private readonly string[] _header;

    private CsvColumns(ModelSpec spec, SourceSpec source, string file, string[] header)
    {
        _file = file;
        _header = header;
        var values = new SortedDictionary<int, CsvValueColumn>();
        foreach (var feature in spec.Features)
        {
            var (column, isNumber) = feature switch
            {
                CategoricalFeature c => (c.Source, c.Bucketize is not null),
                NumericFeature n => (n.Source, true),
                _ => (null, false),
            };
            if (column is not null)
            {
                var place = Keep(column, $"feature '{feature.Name}'");
                isNumber |= values.TryGetValue(place, out var known) && known.IsNumber;
                values[place] = new CsvValueColumn(place, column, isNumber);
            }
        }

        Values = [.. values.Values];
        Request = [.. source.Request.Select(c => Keep(c, "source.request"))];
        Time = source.Time is null ? -1 : Keep(source.Time, "source.time");
        Item = source.Item is null ? -1 : Keep(source.Item, "source.item");
        PartitionBy = Keep(spec.PartitionBy, "partition_by");
        Labels = [.. spec.Tasks.Select(t => (Keep(t.Label, $"task '{t.Name}'"), t.Label))];
        Kept = [.. _kept];
    }

    /// <summary>Columns of the file that are read at all.</summary>
    public int[] Kept { get; }

    /// <summary>Columns that features read, each once.</summary>
    public CsvValueColumn[] Values { get; }

    /// <summary>Columns that name the request; none: each row is one.</summary>
    public int[] Request { get; }

    /// <summary>The event time; −1: the rows count.</summary>
    public int Time { get; }

    /// <summary>The item's id; −1: the row's number.</summary>
    public int Item { get; }

    /// <summary>The column that decides the partition.</summary>
    public int PartitionBy { get; }

    /// <summary>Label columns in the order of tasks.</summary>
    public (int Place, string Name)[] Labels { get; }

    /// <summary>Finds the columns.</summary>
    /// <exception cref="DataFileException">One is missing.</exception>
    public static CsvColumns Of(ModelSpec spec, string file, string[] header) =>
        new(spec, spec.Source ?? throw new DataFileException(
            $"the model '{spec.Name}' says nothing of files: add a section 'source' to read {file}, with 'request' and 'time' where it has such columns"),
            file, header);

    private int Keep(string column, string reader)
    {
        var index = Array.IndexOf(_header, column);
        if (index < 0)
        {
            throw new DataFileException(
                $"{_file} has no column '{column}', which {reader} reads; it has: {string.Join(", ", _header)}");
        }

        if (!_kept.Contains(index))
        {
            _kept.Add(index);
        }

        return _kept.IndexOf(index);
    }
}

/// <summary>A column that features read.</summary>
/// <param name="Place">Its place among the kept ones.</param>
/// <param name="Name">Its name in the header.</param>
/// <param name="IsNumber">Whether some feature needs a number.</param>
internal readonly record struct CsvValueColumn(int Place, string Name, bool IsNumber);
