namespace Monolith.Standalone.Replay;

/// <summary>The fields of a few rows in one buffer that is used again and again.</summary>
/// <param name="columns">Columns of the file to keep.</param>
internal sealed class RowBuffer(int[] columns)
{
    private readonly List<int> _ends = [];
    private readonly List<long> _lines = [];
    private char[] _text = new char[1024];
    private int _length;

    /// <summary>Rows held.</summary>
    public int Count => _lines.Count;

    /// <summary>Line of a row in the file.</summary>
    public long Line(int row) => _lines[row];

    /// <summary>Forgets the rows.</summary>
    public void Clear()
    {
        _ends.Clear();
        _lines.Clear();
        _length = 0;
    }

    /// <summary>Adds the current row of a file.</summary>
    public void Add(CsvRows rows)
    {
        foreach (var column in columns)
        {
            var field = rows.Field(column);
            if (_length + field.Length > _text.Length)
            {
                Array.Resize(ref _text, Math.Max(2 * _text.Length, _length + field.Length));
            }

            field.CopyTo(_text.AsSpan(_length));
            _length += field.Length;
            _ends.Add(_length);
        }

        _lines.Add(rows.Line);
    }

    /// <summary>A field, by the place of its column among those that are kept.</summary>
    public ReadOnlySpan<char> Field(int row, int kept)
    {
        var cell = (row * columns.Length) + kept;
        return _text.AsSpan((cell == 0 ? 0 : _ends[cell - 1]).._ends[cell]);
    }
}
