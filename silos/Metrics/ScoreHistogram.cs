namespace Monolith.Silos.Metrics;

/// <summary>
/// Scores of positives and negatives in equal bins of the log odds, from which the area under the ROC curve follows in
/// constant memory. Pairs within a bin count half, so the error is at most half the share of such pairs
/// (<see cref="AucError"/>): with 65,536 bins between log odds −16 and 16 a bin is 0.0005 wide.
/// </summary>
public sealed class ScoreHistogram
{
    /// <summary>Number of bins.</summary>
    public const int Bins = 1 << 16;

    private const double Range = 16;
    private readonly double[] _positives = new double[Bins];
    private readonly double[] _negatives = new double[Bins];

    /// <summary>Adds an example.</summary>
    /// <param name="probability">Its score.</param>
    /// <param name="positive">Its label.</param>
    /// <param name="weight">How many examples it stands for.</param>
    public void Add(double probability, bool positive, double weight) =>
        (positive ? _positives : _negatives)[BinOf(probability)] += weight;

    /// <summary>Area under the curve; NaN while one class is missing.</summary>
    public double Auc()
    {
        double area = 0, below = 0, positives = 0;
        for (var b = 0; b < Bins; b++)
        {
            area += _positives[b] * (below + (_negatives[b] / 2));
            below += _negatives[b];
            positives += _positives[b];
        }

        return area / (positives * below);
    }

    /// <summary>The most by which <see cref="Auc"/> can be off.</summary>
    public double AucError()
    {
        double tied = 0, positives = 0, negatives = 0;
        for (var b = 0; b < Bins; b++)
        {
            tied += _positives[b] * _negatives[b];
            positives += _positives[b];
            negatives += _negatives[b];
        }

        return tied / 2 / (positives * negatives);
    }

    /// <summary>Writes the bins that are not empty.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var filled = Enumerable.Range(0, Bins).Where(b => _positives[b] + _negatives[b] > 0).ToArray();
        writer.Write(filled.Length);
        foreach (var b in filled)
        {
            writer.Write((ushort)b);
            writer.Write(_positives[b]);
            writer.Write(_negatives[b]);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into an empty histogram.</summary>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var b = reader.ReadUInt16();
            _positives[b] = reader.ReadDouble();
            _negatives[b] = reader.ReadDouble();
        }
    }

    private static int BinOf(double probability)
    {
        var p = Math.Clamp(probability, 1e-12, 1 - 1e-12);
        var logit = Math.Clamp(Math.Log(p / (1 - p)), -Range, Range);
        return Math.Min((int)((logit + Range) / (2 * Range) * Bins), Bins - 1);
    }
}
