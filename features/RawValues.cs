using Monolith.Contracts.Events;

namespace Monolith.Features;

/// <summary>The ids and numbers of one dictionary of raw values: a request's shared fields, or an item's.</summary>
/// <param name="categorical">A reader and its field for each embedded feature; null for one that is not read from a field.</param>
/// <param name="numeric">A reader for each numeric feature; null for one that is not read from a field.</param>
internal sealed class RawValues(CategoricalReader?[] categorical, NumericReader?[] numeric)
{
    private readonly List<ulong> _ids = [];
    private readonly int[] _ends = new int[categorical.Length];
    private readonly bool[] _hasIds = new bool[categorical.Length];
    private readonly double?[] _numbers = new double?[numeric.Length];

    /// <summary>Whether the dictionary had the field of an embedded feature.</summary>
    public bool HasIds(int feature) => _hasIds[feature];

    /// <summary>Ids of an embedded feature.</summary>
    public ReadOnlySpan<ulong> Ids(int feature) =>
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ids)[(feature == 0 ? 0 : _ends[feature - 1]).._ends[feature]];

    /// <summary>The number of a numeric feature after its transforms; null when the dictionary did not have the field.</summary>
    public double? Number(int feature) => _numbers[feature];

    /// <summary>Reads the features' fields.</summary>
    /// <exception cref="FeatureException">A value is not what its feature takes.</exception>
    public void Read(IDictionary<string, FeatureValue> values)
    {
        _ids.Clear();
        for (var f = 0; f < categorical.Length; f++)
        {
            _hasIds[f] = false;
            if (categorical[f] is { } reader && values.TryGetValue(reader.Source, out var value))
            {
                _hasIds[f] = true;
                reader.Read(value, _ids);
            }

            _ends[f] = _ids.Count;
        }

        for (var n = 0; n < numeric.Length; n++)
        {
            _numbers[n] = numeric[n] is { } reader && values.TryGetValue(reader.Source, out var value)
                ? reader.Read(value)
                : null;
        }
    }
}
