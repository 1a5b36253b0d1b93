using System.Globalization;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Sylvan.Data.Csv;

namespace Monolith.Standalone.Replay;

/// <summary>
/// Streams the requests of one partition of a CSV file (optionally gzip). Consecutive rows with equal request columns are
/// one request. An offset is a row number counted from 0, so a partition's offsets have holes where others' rows lie.
/// </summary>
internal sealed class CsvRequests : IDisposable
{
    private readonly ModelSpec _spec;
    private readonly string _file;
    private readonly CsvDataReader _csv;
    private readonly CsvColumns _columns;
    private readonly Func<string, bool> _isOurs;
    private readonly List<string[]> _rows = [];
    private long _next;
    private bool _hasRow;

    /// <summary>Opens the file before the given row.</summary>
    /// <param name="spec">Says which columns are read.</param>
    /// <param name="path">The file; gzip when it ends in <c>.gz</c>.</param>
    /// <param name="firstRow">Rows before this one are passed over; the first row of a request.</param>
    /// <param name="isOurs">Whether a value of the partitioning column belongs to this partition.</param>
    /// <exception cref="DataFileException">The file is missing or empty, or lacks a column.</exception>
    public CsvRequests(ModelSpec spec, string path, long firstRow, Func<string, bool> isOurs)
    {
        _spec = spec;
        _file = Path.GetFileName(path);
        _isOurs = isOurs;
        _csv = CsvFile.Open(path);
        try
        {
            var header = new string[_csv.FieldCount];
            for (var i = 0; i < header.Length; i++)
            {
                header[i] = _csv.GetName(i);
            }

            _columns = CsvColumns.Of(spec, _file, header);
            _hasRow = Advance();
            if (!_hasRow)
            {
                throw new DataFileException($"{_file} has a header but no rows: there is nothing to learn from");
            }

            while (_hasRow && _next < firstRow)
            {
                _next++;
                _hasRow = Advance();
            }

            if (_next < firstRow)
            {
                throw new DataFileException(
                    $"{_file} has {_next} rows but {firstRow} were learned from it before: it is another file, or was cut; "
                    + "choose a new --data-dir");
            }
        }
        catch
        {
            _csv.Dispose();
            throw;
        }
    }

    /// <summary>Number of the row that comes next.</summary>
    public long Position => _next;

    /// <summary>Reads the next request of the partition.</summary>
    /// <returns>Its first row, the row after its last, and the examples; null at the end of the file.</returns>
    /// <exception cref="DataFileException">A row is torn or a value is not what it must be.</exception>
    public (long First, long Next, ExampleGroup Group)? Read()
    {
        while (_hasRow)
        {
            var first = _next;
            ReadRequest();
            if (_isOurs(_rows[0][_columns.PartitionBy]))
            {
                return (first, _next, Build(first));
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _csv.Dispose();

    private void ReadRequest()
    {
        _rows.Clear();
        do
        {
            var row = new string[_columns.Width];
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = _csv.GetString(i);
            }

            _rows.Add(row);
            _next++;
            _hasRow = Advance();
        }
        while (_hasRow && Array.TrueForAll(_columns.Request, c => _csv.GetFieldSpan(c).SequenceEqual(_rows[0][c])));
    }

    private ExampleGroup Build(long first)
    {
        var time = Time(_rows[0][_columns.Time], first);
        var group = new ExampleGroup
        {
            RequestId = string.Join('/', _columns.Request.Select(c => _rows[0][c])),
            EventTimeMs = time,
            EmittedTimeMs = time,
        };
        foreach (var _ in _rows)
        {
            group.Examples.Add(new Example());
        }

        foreach (var column in _columns.Values)
        {
            AddColumn(group, column, first);
        }

        for (var i = 0; i < _rows.Count; i++)
        {
            var example = group.Examples[i];
            example.ItemId = _columns.Item < 0 ? (first + i + 1).ToString(CultureInfo.InvariantCulture) : _rows[i][_columns.Item];
            foreach (var (index, name) in _columns.Labels)
            {
                example.Labels.Add(LabelOf(_rows[i][index], name, first + i));
            }
        }

        return group;
    }

    // A column that is the same all over the request belongs to the request, so it is turned into ids once.
    private void AddColumn(ExampleGroup group, CsvValueColumn column, long first)
    {
        var isShared = _rows.TrueForAll(r => r[column.Index] == _rows[0][column.Index]);
        for (var i = 0; i < (isShared ? 1 : _rows.Count); i++)
        {
            var text = _rows[i][column.Index];
            if (text.Length == 0)
            {
                continue;
            }

            if (column.IsNumber && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            {
                throw Bad(first + i, column.Name, text, "a number such as 12 or 0.5, or nothing");
            }

            var values = isShared ? group.Shared : group.Examples[i].Features;
            values[column.Name] = new FeatureValue { Text = text };
        }
    }

    private long Time(string text, long row)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var time) || time is < 0 or > 1e14)
        {
            throw Bad(row, _spec.Source!.Time, text, $"a time in {_spec.Source.TimeUnit.ToString().ToLowerInvariant()} since 1970");
        }

        return (long)(_spec.Source!.TimeUnit == TimeUnit.Seconds ? time * 1000 : time);
    }

    private Label LabelOf(string text, string column, long row) => text switch
    {
        "" => new Label(),
        "0" => new Label { Present = true },
        "1" => new Label { Present = true, Value = 1 },
        _ => throw Bad(row, column, text, "0, 1, or nothing where it is not known"),
    };

    private DataFileException Bad(long row, string column, string text, string allowed) =>
        new($"{_file}, row {row + 1} (after the header), column '{column}': '{text}' is not {allowed}");

    private bool Advance() => CsvFile.Advance(_csv, _file, _next);
}
