using System.Globalization;

namespace Monolith.Standalone.Specs;

/// <summary>What a sample of a file says about one column.</summary>
/// <param name="name">The column's name.</param>
internal sealed class ColumnProfile(string name)
{
    /// <summary>Distinct values are counted up to here.</summary>
    public const int MaxDistinct = 100_000;

    private readonly HashSet<string> _distinct = [];
    private long _numbers;
    private long _integers;
    private long _lists;

    /// <summary>The column's name.</summary>
    public string Name { get; } = name;

    /// <summary>Rows with a value.</summary>
    public long Filled { get; private set; }

    /// <summary>Distinct values, at most <see cref="MaxDistinct"/>.</summary>
    public int Distinct => _distinct.Count;

    /// <summary>Smallest number.</summary>
    public double Min { get; private set; } = double.PositiveInfinity;

    /// <summary>Largest number.</summary>
    public double Max { get; private set; } = double.NegativeInfinity;

    /// <summary>Sum of the numbers.</summary>
    public double Sum { get; private set; }

    /// <summary>Whether every value is a number.</summary>
    public bool IsNumeric => Filled > 0 && _numbers == Filled;

    /// <summary>Whether every value is a whole number.</summary>
    public bool IsInteger => Filled > 0 && _integers == Filled;

    /// <summary>Whether the values are 0 and 1 and both occur.</summary>
    public bool IsBinary => _distinct.SetEquals(["0", "1"]);

    /// <summary>Whether at least one row in a hundred holds several values, separated by a vertical bar.</summary>
    public bool IsList => !IsNumeric && _lists * 100 >= Filled && Filled > 0;

    /// <summary>Unit when all values look like times between 2001 and 2096, else null.</summary>
    public string? TimeUnit =>
        !IsNumeric ? null : Min >= 1e9 && Max < 4e9 ? "seconds" : Min >= 1e12 && Max < 4e12 ? "milliseconds" : null;

    /// <summary>Whether the column's name contains one of the words.</summary>
    public bool IsCalled(params string[] words) =>
        Array.Exists(words, w => Name.Contains(w, StringComparison.OrdinalIgnoreCase));

    /// <summary>Counts a value.</summary>
    public void Add(string value)
    {
        if (value.Length == 0)
        {
            return;
        }

        Filled++;
        if (_distinct.Count < MaxDistinct)
        {
            _distinct.Add(value);
        }

        _lists += value.Contains('|') ? 1 : 0;
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
        {
            _numbers++;
            _integers += number == Math.Floor(number) ? 1 : 0;
            Min = Math.Min(Min, number);
            Max = Math.Max(Max, number);
            Sum += number;
        }
    }
}
