using Monolith.Contracts.Grains;

namespace Monolith.Silos.Metrics;

/// <summary>
/// How good one learner's scores have been: from the beginning, with the AUC from a histogram, and over the newest
/// <see cref="WindowExamples"/>, with the AUC exact.
/// </summary>
public sealed class LearnerQuality
{
    /// <summary>Examples in the window.</summary>
    public const int WindowExamples = 20_000;

    private readonly ScoreHistogram _histogram = new();
    private readonly QualitySums _sums = new();
    private readonly ScoredExample[] _window = new ScoredExample[WindowExamples];
    private long _count;

    /// <summary>Adds an example.</summary>
    public void Add(ScoredExample example)
    {
        _histogram.Add(example.Score, example.IsPositive, example.Weight);
        _sums.Add(example);
        _window[_count++ % WindowExamples] = example;
    }

    /// <summary>From the beginning.</summary>
    public Quality Total() => _sums.With(_histogram.Auc());

    /// <summary>Over the newest examples.</summary>
    public Quality Window()
    {
        var examples = _window.AsSpan(0, (int)Math.Min(_count, WindowExamples));
        var sums = new QualitySums();
        foreach (var example in examples)
        {
            sums.Add(example);
        }

        return sums.With(ExactAuc(examples.ToArray()));
    }

    /// <summary>Writes everything.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        _histogram.Save(writer);
        _sums.Save(writer);
        writer.Write(_count);
        foreach (var example in _window.AsSpan(0, (int)Math.Min(_count, WindowExamples)))
        {
            writer.Write(example.Score);
            writer.Write(example.Label);
            writer.Write(example.Weight);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into a fresh instance.</summary>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _histogram.Load(reader);
        _sums.Load(reader);
        _count = reader.ReadInt64();
        foreach (ref var example in _window.AsSpan(0, (int)Math.Min(_count, WindowExamples)))
        {
            example = new ScoredExample(reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
        }
    }

    // Rank sums, ties halved.
    private static double ExactAuc(ScoredExample[] examples)
    {
        Array.Sort(examples, (a, b) => a.Score.CompareTo(b.Score));
        double area = 0, below = 0, positives = 0;
        for (var i = 0; i < examples.Length;)
        {
            double tiedPositives = 0, tiedNegatives = 0;
            for (var score = examples[i].Score; i < examples.Length && examples[i].Score == score; i++)
            {
                tiedPositives += examples[i].IsPositive ? examples[i].Weight : 0;
                tiedNegatives += examples[i].IsPositive ? 0 : examples[i].Weight;
            }

            area += tiedPositives * (below + (tiedNegatives / 2));
            below += tiedNegatives;
            positives += tiedPositives;
        }

        return area / (positives * below);
    }
}
