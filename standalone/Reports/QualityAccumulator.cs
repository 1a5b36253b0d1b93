namespace Monolith.Standalone.Reports;

/// <summary>Adds up scores and labels.</summary>
/// <param name="exactMax">
/// The AUC is exact up to so many examples (4 bytes each); beyond, it comes from a histogram whose largest possible error
/// is part of the figures.
/// </param>
internal sealed class QualityAccumulator(int exactMax = QualityAccumulator.ExactMax)
{
    /// <summary>Examples up to which the AUC is exact: 200 MB.</summary>
    public const int ExactMax = 50_000_000;

    // A score from 0 to 1 keeps its order as the bits of its float, which fit into 30; with the label below them an
    // example is one sortable word. Bins take the upper 20 of those 30: 13 of the mantissa, so neighbours are 0.01 % apart.
    private const int BinShift = 10;
    private const int Bins = (0x3F80_0000 >> BinShift) + 1;

    private readonly List<uint> _examples = [];
    private long[]? _histogram;
    private long _count;
    private long _positives;
    private double _loss;
    private double _predicted;

    /// <summary>Adds an example.</summary>
    /// <param name="score">Probability.</param>
    /// <param name="isPositive">Label.</param>
    public void Add(float score, bool isPositive)
    {
        var p = Math.Clamp((double)score, 1e-7, 1 - 1e-7);
        _count++;
        _positives += isPositive ? 1 : 0;
        _loss -= Math.Log(isPositive ? p : 1 - p);
        _predicted += score;
        var word = (BitConverter.SingleToUInt32Bits(Math.Clamp(score, 0f, 1f)) << 1) | (isPositive ? 1u : 0);
        if (_histogram is not null)
        {
            AddToHistogram(word);
        }
        else if (_examples.Count < exactMax)
        {
            _examples.Add(word);
        }
        else
        {
            _histogram = new long[2 * Bins];
            _examples.ForEach(AddToHistogram);
            AddToHistogram(word);
            _examples.Clear();
            _examples.TrimExcess();
        }
    }

    /// <summary>The figures so far.</summary>
    public QualityFigures Figures()
    {
        var rate = _count == 0 ? 0 : (double)_positives / _count;
        var entropy = -((rate * Math.Log(rate)) + ((1 - rate) * Math.Log(1 - rate)));
        var hasBoth = _positives > 0 && _positives < _count;
        var (auc, error) = hasBoth ? Area() : (0, 0);
        return new QualityFigures
        {
            Examples = _count,
            Positives = _positives,
            Auc = hasBoth ? auc : null,
            AucErrorMax = error,
            Logloss = _count == 0 ? null : _loss / _count,
            NormalizedEntropy = hasBoth ? _loss / _count / entropy : null,
            Calibration = _positives == 0 ? null : _predicted / _positives,
        };
    }

    private void AddToHistogram(uint word) => _histogram![(2 * (word >> (BinShift + 1))) + (word & 1)]++;

    // The share of (positive, negative) pairs in the right order, ties counted half. Pairs within a bin of the histogram
    // count as ties, so each may be off by a half.
    private (double Area, double ErrorMax) Area()
    {
        double area = 0, tied = 0;
        long below = 0;
        foreach (var (negatives, positives) in _histogram is null ? Ties() : FilledBins(_histogram))
        {
            area += positives * (below + (negatives / 2.0));
            tied += (double)positives * negatives;
            below += negatives;
        }

        var pairs = (double)_positives * (_count - _positives);
        return (area / pairs, _histogram is null ? 0 : tied / 2 / pairs);
    }

    private IEnumerable<(long Negatives, long Positives)> Ties()
    {
        _examples.Sort();
        for (var i = 0; i < _examples.Count;)
        {
            var score = _examples[i] >> 1;
            long negatives = 0, positives = 0;
            for (; i < _examples.Count && _examples[i] >> 1 == score; i++)
            {
                positives += _examples[i] & 1;
                negatives += 1 - (_examples[i] & 1);
            }

            yield return (negatives, positives);
        }
    }

    private static IEnumerable<(long Negatives, long Positives)> FilledBins(long[] histogram)
    {
        for (var bin = 0; bin < Bins; bin++)
        {
            yield return (histogram[2 * bin], histogram[(2 * bin) + 1]);
        }
    }
}
