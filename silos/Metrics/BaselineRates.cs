namespace Monolith.Silos.Metrics;

/// <summary>
/// The learner to beat: the rate of positives so far by the value of one feature, smoothed with 20 views at the base rate.
/// </summary>
/// <param name="baseRate">The task's base rate.</param>
public sealed class BaselineRates(double baseRate)
{
    /// <summary>Values that are told apart; those that come after so many share the base rate.</summary>
    public const int ValuesMax = 1 << 20;

    private const double PriorViews = 20;
    private readonly Dictionary<ulong, (double Views, double Positives)> _rates = [];

    /// <summary>The rate so far of a value.</summary>
    public float Score(ulong value)
    {
        var (views, positives) = _rates.GetValueOrDefault(value);
        return (float)((positives + (PriorViews * baseRate)) / (views + PriorViews));
    }

    /// <summary>Learns from an example.</summary>
    public void Learn(ulong value, bool positive, double weight)
    {
        if (!_rates.TryGetValue(value, out var rate) && _rates.Count >= ValuesMax)
        {
            return;
        }

        _rates[value] = (rate.Views + weight, rate.Positives + (positive ? weight : 0));
    }

    /// <summary>Writes the rates.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(_rates.Count);
        foreach (var (value, (views, positives)) in _rates)
        {
            writer.Write(value);
            writer.Write(views);
            writer.Write(positives);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            _rates[reader.ReadUInt64()] = (reader.ReadDouble(), reader.ReadDouble());
        }
    }
}
