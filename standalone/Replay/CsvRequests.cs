using System.Globalization;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Standalone.Replay;

/// <summary>
/// Streams the requests of one partition of a CSV file (optionally gzip). Consecutive rows with equal request columns are
/// one request. An offset is a row number counted from 0, so a partition's offsets have holes where others' rows lie.
/// </summary>
internal sealed class CsvRequests : IDisposable
{
    /// <summary>Rows a request may have: what bounds memory where the request columns are the wrong ones.</summary>
    public const int RequestRowsMax = 100_000;

    private readonly ModelSpec _spec;
    private readonly CsvRows _csv;
    private readonly CsvColumns _columns;
    private readonly RowBuffer _rows;
    private readonly ValueCache[] _values;
    private readonly Func<string, bool> _isOurs;
    private readonly MissingWarnings? _missing;
    private bool _hasRow;

    /// <summary>Opens the file before the given row.</summary>
    /// <param name="spec">Says which columns are read.</param>
    /// <param name="path">The file.</param>
    /// <param name="firstRow">Rows before this one are passed over; the first row of a request.</param>
    /// <param name="isOurs">Whether a value of the partitioning column belongs to this partition.</param>
    /// <param name="missing">Looks at the ids that are read; null: nobody does.</param>
    /// <exception cref="DataFileException">The file is missing or empty, or lacks a column.</exception>
    public CsvRequests(ModelSpec spec, string path, long firstRow, Func<string, bool> isOurs, MissingWarnings? missing = null)
    {
        _spec = spec;
        _missing = missing;
        _isOurs = isOurs;
        _csv = CsvRows.Open(path, spec.Source?.Missing ?? []);
        try
        {
            _columns = CsvColumns.Of(spec, _csv.File, _csv.Header);
            _rows = new RowBuffer(_columns.Kept);
            _values = [.. _columns.Values.Select(_ => new ValueCache())];
            _hasRow = _csv.Advance();
            if (!_hasRow)
            {
                throw new DataFileException($"{_csv.File} has a header but no rows: there is nothing to learn from");
            }

            for (; _hasRow && Position < firstRow; Position++)
            {
                _hasRow = _csv.Advance();
            }

            if (Position < firstRow)
            {
                throw new DataFileException(
                    $"{_csv.File} has {Position} rows but {firstRow} were learned from it before: it is another file, or was cut; "
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
    public long Position { get; private set; }

    /// <summary>Share of the file that has been read, 0 to 1.</summary>
    public double Progress => _csv.Progress;

    /// <summary>Reads the next request of the partition.</summary>
    /// <returns>Its first row, the row after its last, and the examples; null at the end of the file.</returns>
    /// <exception cref="DataFileException">A row is torn or a value is not what it must be.</exception>
    public (long First, long Next, ExampleGroup Group)? Read()
    {
        while (_hasRow)
        {
            var first = Position;
            ReadRequest();
            if (_isOurs(_rows.Field(0, _columns.PartitionBy).ToString()))
            {
                return (first, Position, Build(first));
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
            if (_rows.Count == RequestRowsMax)
            {
                throw new DataFileException(
                    $"{_csv.File}, line {_rows.Line(0)}: more than {RequestRowsMax} rows have the same {RequestColumns}; "
                    + "source.request must name what tells one shown list from the next");
            }

            _rows.Add(_csv);
            var line = _rows.Count - 1;
            if (!_rows.Field(line, _columns.PartitionBy).SequenceEqual(_rows.Field(0, _columns.PartitionBy)))
            {
                throw new DataFileException(
                    $"{_csv.File}, line {_rows.Line(line)}: '{_rows.Field(line, _columns.PartitionBy)}' in column "
                    + $"'{_spec.PartitionBy}', which must be the same all over a request (rows with the same {RequestColumns})");
            }

            Position++;
            _hasRow = _csv.Advance();
        }
        while (_hasRow && _columns.Request.Length > 0 && IsSameRequest());
    }

    private bool IsSameRequest()
    {
        foreach (var c in _columns.Request)
        {
            if (!_csv.Field(_columns.Kept[c]).SequenceEqual(_rows.Field(0, c)))
            {
                return false;
            }
        }

        return true;
    }

    private string RequestColumns => string.Join(", ", _spec.Source!.Request);

    private ExampleGroup Build(long first)
    {
        var time = _columns.Time < 0 ? (first + 1) * 1000 : Time();
        var group = new ExampleGroup
        {
            RequestId = _columns.Request.Length == 0
                ? (first + 1).ToString(CultureInfo.InvariantCulture)
                : string.Join('/', _columns.Request.Select(c => _rows.Field(0, c).ToString())),
            EventTimeMs = time,
            EmittedTimeMs = time,
        };
        for (var i = 0; i < _rows.Count; i++)
        {
            var example = new Example
            {
                ItemId = _columns.Item < 0 || _rows.Field(i, _columns.Item).IsEmpty
                    ? (first + i + 1).ToString(CultureInfo.InvariantCulture)
                    : _rows.Field(i, _columns.Item).ToString(),
            };
            foreach (var (place, name) in _columns.Labels)
            {
                example.Labels.Add(LabelOf(_rows.Field(i, place), name, i));
            }

            group.Examples.Add(example);
        }

        for (var c = 0; c < _values.Length; c++)
        {
            AddColumn(group, _columns.Values[c], _values[c]);
        }

        return group;
    }

    // A column that is the same all over the request belongs to the request, so it is turned into ids once.
    private void AddColumn(ExampleGroup group, CsvValueColumn column, ValueCache values)
    {
        var isShared = true;
        for (var i = 1; i < _rows.Count && isShared; i++)
        {
            isShared = _rows.Field(i, column.Place).SequenceEqual(_rows.Field(0, column.Place));
        }

        for (var i = 0; i < (isShared ? 1 : _rows.Count); i++)
        {
            var text = _rows.Field(i, column.Place);
            if (!text.IsEmpty)
            {
                if (column.IsNumber && !IsNumber(text, out _))
                {
                    throw Bad(i, column.Name, text, "a number such as 12 or 0.5, or nothing");
                }

                if (!column.IsNumber)
                {
                    _missing?.Look(_csv.File, _rows.Line(i), column.Name, text);
                }

                (isShared ? group.Shared : group.Examples[i].Features)[column.Name] = values.Of(text);
            }
        }
    }

    private long Time()
    {
        var source = _spec.Source!;
        var text = _rows.Field(0, _columns.Time);
        var msPerUnit = source.TimeUnit == TimeUnit.Seconds ? 1000 : 1;

        // Rows keep event times in 32-bit seconds, which end in 2106.
        if (!IsNumber(text, out var time) || time < 0 || time * msPerUnit > uint.MaxValue * 1000.0)
        {
            throw Bad(
                0, source.Time!, text,
                $"a time in {source.TimeUnit.ToString().ToLowerInvariant()} since 1970, up to 2106 (source.time_unit says which)");
        }

        return (long)(time * msPerUnit);
    }

    private Label LabelOf(ReadOnlySpan<char> text, string column, int row)
    {
        if (text.IsEmpty)
        {
            return new Label();
        }

        return LabelText.Of(text) is { } isPositive
            ? new Label { Present = true, Value = isPositive ? 1 : 0 }
            : throw Bad(row, column, text, LabelText.Allowed);
    }

    private static bool IsNumber(ReadOnlySpan<char> text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    private DataFileException Bad(int row, string column, ReadOnlySpan<char> text, string allowed) =>
        new($"{_csv.File}, line {_rows.Line(row)}, column '{column}': '{text}' is not {allowed}");
}
