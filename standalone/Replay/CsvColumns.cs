using Monolith.Contracts.Specification;

namespace Monolith.Standalone.Replay;

/// <summary>Which columns of a file a specification reads, and where they are.</summary>
internal sealed class CsvColumns
{
    private CsvColumns(ModelSpec spec, SourceSpec source, string file, string[] header)
    {
        int Find(string column, string reader)
        {
            var index = Array.IndexOf(header, column);
            return index >= 0 ? index : throw new DataFileException(
                $"{file} has no column '{column}', which {reader} reads; it has: {string.Join(", ", header)}");
        }

        var values = new SortedDictionary<int, (string Name, bool IsNumber)>();
        void Value(string column, string reader, bool isNumber)
        {
            var index = Find(column, reader);
            values[index] = (column, isNumber || (values.TryGetValue(index, out var known) && known.IsNumber));
        }

        foreach (var feature in spec.Features)
        {
            switch (feature)
            {
                case CategoricalFeature c: Value(c.Source, $"feature '{c.Name}'", c.Bucketize is not null); break;
                case NumericFeature n: Value(n.Source, $"feature '{n.Name}'", isNumber: true); break;
            }
        }

        Values = [.. values.Select(v => new CsvValueColumn(v.Key, v.Value.Name, v.Value.IsNumber))];
        Request = [.. source.Request.Select(c => Find(c, "source.request"))];
        Time = Find(source.Time, "source.time");
        Item = source.Item is null ? -1 : Find(source.Item, "source.item");
        PartitionBy = Find(spec.PartitionBy, "partition_by");
        Labels = [.. spec.Tasks.Select(t => (Find(t.Label, $"task '{t.Name}'"), t.Label))];
        Width = header.Length;
    }

    /// <summary>Columns that features read, each once.</summary>
    public CsvValueColumn[] Values { get; }

    /// <summary>Columns that name the request.</summary>
    public int[] Request { get; }

    /// <summary>The event time.</summary>
    public int Time { get; }

    /// <summary>The item's id; −1: the row's number.</summary>
    public int Item { get; }

    /// <summary>The column that decides the partition.</summary>
    public int PartitionBy { get; }

    /// <summary>Label columns in the order of tasks.</summary>
    public (int Index, string Name)[] Labels { get; }

    /// <summary>Fields a row must have.</summary>
    public int Width { get; }

    /// <summary>Finds the columns.</summary>
    /// <exception cref="DataFileException">One is missing.</exception>
    public static CsvColumns Of(ModelSpec spec, string file, string[] header) =>
        new(spec, spec.Source ?? throw new DataFileException(
            $"the model '{spec.Name}' says nothing of files: add a section 'source' with 'request' and 'time' to read {file}"),
            file, header);
}

/// <summary>A column that features read.</summary>
/// <param name="Index">Its place in the file.</param>
/// <param name="Name">Its name in the header.</param>
/// <param name="IsNumber">Whether some feature needs a number.</param>
internal readonly record struct CsvValueColumn(int Index, string Name, bool IsNumber);
