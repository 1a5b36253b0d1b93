using Monolith.Standalone.Replay;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Specs;

/// <summary>
/// How well each column alone tells the label: by the rate of positives so far of its value, each row scored before it
/// is counted,
/// so that ids cannot know their own row; and for numbers also by their size.
/// </summary>
/// <param name="columns">The columns that may be features.</param>
/// <param name="label">The label.</param>
internal sealed class LeakSearch(IReadOnlyList<ColumnProfile> columns, ColumnProfile label)
{
    private const int EachClassMin = 10;
    private const int ValuesMax = 50_000;
    private const double PriorViews = 2;
    private readonly Dictionary<string, (int Views, int Positives)>[] _rates =
        [.. columns.Select(_ => new Dictionary<string, (int, int)>())];

    private readonly QualityAccumulator[] _byRate = [.. columns.Select(_ => new QualityAccumulator())];
    private readonly QualityAccumulator[] _bySize = [.. columns.Select(_ => new QualityAccumulator())];
    private long _rows;
    private long _positives;

    /// <summary>Share of positives among the rows with a label.</summary>
    public double Rate => _rows == 0 ? 0 : (double)_positives / _rows;

    /// <summary>The AUC of each column; none while a class has too few rows to tell chance from knowledge.</summary>
    public IEnumerable<KeyValuePair<ColumnProfile, double>> Areas => Math.Min(_positives, _rows - _positives) < EachClassMin
        ? []
        : columns.Select((c, i) => KeyValuePair.Create(c, Math.Max(_byRate[i].Figures().Auc ?? 0, Size(i))));

    /// <summary>Reads the beginning of the file again.</summary>
    public void Read(string path, long rows)
    {
        using var csv = CsvRows.Open(path);
        for (long row = 0; row < rows && csv.Advance(); row++)
        {
            if (LabelText.Of(csv.Field(label.Index)) is { } isPositive)
            {
                for (var c = 0; c < columns.Count; c++)
                {
                    Add(c, csv.Field(columns[c].Index).ToString(), isPositive);
                }

                _rows++;
                _positives += isPositive ? 1 : 0;
            }
        }
    }

    private void Add(int column, string value, bool isPositive)
    {
        var (views, positives) = _rates[column].GetValueOrDefault(value);
        var prior = PriorViews * (Rate > 0 ? Rate : 0.5);
        _byRate[column].Add((float)((positives + prior) / (views + PriorViews)), isPositive);
        if (views > 0 || _rates[column].Count < ValuesMax)
        {
            _rates[column][value] = (views + 1, positives + (isPositive ? 1 : 0));
        }

        // Into 0 to 1, where order is all that counts; a missing value comes before the numbers.
        var profile = columns[column];
        if (profile.IsNumeric)
        {
            var place = ColumnProfile.Number(value) is { } number && profile.Max > profile.Min
                ? 0.001 + (0.999 * ((number / 2) - (profile.Min / 2)) / ((profile.Max / 2) - (profile.Min / 2)))
                : 0;
            _bySize[column].Add((float)place, isPositive);
        }
    }

    private double Size(int column) => _bySize[column].Figures().Auc is { } auc ? Math.Max(auc, 1 - auc) : 0;
}
