using Monolith.Contracts.Grains;

namespace Monolith.Silos.Metrics;

/// <summary>The sums behind log loss, normalized entropy and calibration.</summary>
public sealed class QualitySums
{
    private long _examples;
    private long _positives;
    private double _weight;
    private double _observed;
    private double _predicted;
    private double _loss;

    /// <summary>Adds an example.</summary>
    public void Add(ScoredExample example)
    {
        _examples++;
        _positives += example.IsPositive ? 1 : 0;
        _weight += example.Weight;
        _observed += example.IsPositive ? example.Weight : 0;
        _predicted += example.Weight * example.Score;
        _loss += example.Weight * example.LogLoss;
    }

    /// <summary>The figures, with an area under the curve computed elsewhere.</summary>
    public Quality With(double auc)
    {
        var rate = _observed / _weight;
        var entropy = -((rate * Math.Log(rate)) + ((1 - rate) * Math.Log(1 - rate)));
        return new Quality(_examples, _positives, auc, _loss / _weight, _loss / _weight / entropy, _predicted / _observed);
    }

    /// <summary>Writes the sums.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_examples);
        writer.Write(_positives);
        writer.Write(_weight);
        writer.Write(_observed);
        writer.Write(_predicted);
        writer.Write(_loss);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        _examples = reader.ReadInt64();
        _positives = reader.ReadInt64();
        _weight = reader.ReadDouble();
        _observed = reader.ReadDouble();
        _predicted = reader.ReadDouble();
        _loss = reader.ReadDouble();
    }
}
