using System.Globalization;
using Monolith.Standalone.Replay;

namespace Monolith.Standalone.Specs;

/// <summary>What a sample of a file says about one column.</summary>
/// <param name="index">Its place in the file, from 0.</param>
/// <param name="name">The column's name.</param>
/// <param name="distinctMax">Distinct values are counted up to here.</param>
internal sealed class ColumnProfile(int index, string name, int distinctMax)
{
    /// <summary>Spellings with which exports write a missing value; <c>NA</c> only where all else are numbers.</summary>
    public static readonly string[] MissingSpellings =
        ["NULL", "Null", "null", "NaN", "nan", "NAN", "None", "\\N", "N/A", "n/a", "<NA>", "NA"];

    private const double SecondsMin = 1e8;    // 1973
    private const double SecondsSure = 1e9;   // 2001
    private const double SecondsMax = 4e9;    // 2096
    private const int SkewMin = 5;

    private readonly HashSet<string> _distinct = [];
    private readonly Dictionary<string, long> _missing = [];
    private long _numbers;
    private long _integers;
    private long _lists;
    private long _rows;
    private double _first = double.NaN;
    private bool _counts = true;
    private double _squares;
    private double _last = double.NegativeInfinity;
    private long _descents;

    /// <summary>Its place in the file, from 0.</summary>
    public int Index { get; } = index;

    /// <summary>The column's name.</summary>
    public string Name { get; } = name;

    /// <summary>What the name suggests.</summary>
    public ColumnWords Words { get; } = new(name);

    /// <summary>Rows with a value.</summary>
    public long Filled { get; private set; }

    /// <summary>Distinct values, at most as many as are counted.</summary>
    public int Distinct => _distinct.Count;

    /// <summary>Whether there may be more distinct values than were counted.</summary>
    public bool HasMore => _distinct.Count >= distinctMax;

    /// <summary>Smallest number.</summary>
    public double Min { get; private set; } = double.PositiveInfinity;

    /// <summary>Largest number.</summary>
    public double Max { get; private set; } = double.NegativeInfinity;

    /// <summary>Mean of the numbers.</summary>
    public double Mean { get; private set; }

    /// <summary>Standard deviation of the numbers.</summary>
    public double Deviation => _numbers == 0 ? 0 : Math.Sqrt(_squares / _numbers);

    /// <summary>Whether every value is a number.</summary>
    public bool IsNumeric => Filled > 0 && _numbers == Filled;

    /// <summary>Whether every value is a whole number.</summary>
    public bool IsInteger => Filled > 0 && _integers == Filled;

    /// <summary>Whether the numbers are not negative and a few are much larger than the rest.</summary>
    public bool IsSkewed => IsNumeric && Min >= 0 && Max - Mean > SkewMin * Deviation;

    /// <summary>Whether the rows are counted: a whole number that grows by one from row to row.</summary>
    public bool IsRowNumber => _counts && _rows > 2;

    /// <summary>Whether no value comes twice among many rows: nothing can be learned of one.</summary>
    public bool IsUnique => Filled == _rows && Filled >= 100 && (_distinct.Count == Filled || HasMore);

    /// <summary>Whether the values are two that say no and yes, and both occur.</summary>
    public bool IsLabel => LabelValues is { } values && values.Contains(false) && values.Contains(true);

    /// <summary>Whether at least one row in a hundred holds several values, separated by a vertical bar.</summary>
    public bool IsList => !IsNumeric && _lists * 100 >= Filled && Filled > 0;

    /// <summary>Unit when all rows have times between 1973 and 2096, else null.</summary>
    public string? TimeUnit => !IsNumeric || Filled < _rows ? null : Unit(SecondsMin);

    /// <summary>Whether the numbers look like times since 2001, in order, whatever the column is called.</summary>
    public bool IsSurelyTime => TimeUnit is not null && Unit(SecondsSure) is not null && _descents * 100 <= _rows
        && !Words.IsId && !Words.IsAmount && !IsRowNumber;

    /// <summary>How missing values are written.</summary>
    public IEnumerable<string> Missing => _missing.Keys.Where(m => m != "NA" || IsNumeric);

    private bool[]? LabelValues
    {
        get
        {
            var values = _distinct.Select(v => LabelText.Of(v)).ToArray();
            return Array.TrueForAll(values, v => v is not null) && !HasMore ? [.. values.Select(v => v!.Value)] : null;
        }
    }

    /// <summary>A finite number; null when the text is none.</summary>
    public static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : null;

    /// <summary>Counts a value.</summary>
    public void Add(string value)
    {
        var row = _rows++;
        if (value.Length == 0 || MissingSpellings.Contains(value))
        {
            _counts = false;
            if (value.Length > 0)
            {
                _missing[value] = _missing.GetValueOrDefault(value) + 1;
            }

            return;
        }

        Filled++;
        if (_distinct.Count < distinctMax)
        {
            _distinct.Add(value);
        }

        _lists += value.Contains('|') ? 1 : 0;
        if (Number(value) is not { } number)
        {
            _counts = false;
            return;
        }

        _numbers++;
        _integers += number == Math.Floor(number) ? 1 : 0;
        Min = Math.Min(Min, number);
        Max = Math.Max(Max, number);
        var difference = number - Mean;
        Mean += difference / _numbers;
        _squares += difference * (number - Mean);
        _descents += number < _last ? 1 : 0;
        _last = number;
        _first = row == 0 ? number : _first;
        _counts &= number == _first + row;
    }

    private string? Unit(double secondsMin) =>
        Min >= secondsMin && Max < SecondsMax ? "seconds"
        : Min >= secondsMin * 1000 && Max < SecondsMax * 1000 ? "milliseconds"
        : null;
}
