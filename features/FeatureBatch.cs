using System.Runtime.InteropServices;

namespace Monolith.Features;

/// <summary>
/// Ids and numbers of a batch of examples, reused from batch to batch. Example-major: the ids of embedded feature f of
/// example e are <c>Ids(e, f)</c>, any number of them.
/// </summary>
/// <param name="embeddedFeatures">E, embedded features an example.</param>
/// <param name="numericFeatures">N, numbers an example.</param>
public sealed class FeatureBatch(int embeddedFeatures, int numericFeatures)
{
    private readonly List<ulong> _ids = [];
    private readonly List<int> _ends = [];
    private readonly List<float> _numbers = [];

    /// <summary>E, embedded features an example.</summary>
    public int EmbeddedFeatures { get; } = embeddedFeatures;

    /// <summary>N, numbers an example.</summary>
    public int NumericFeatures { get; } = numericFeatures;

    /// <summary>Examples in the batch.</summary>
    public int Count { get; private set; }

    /// <summary>All ids, in the order of <see cref="Range"/>.</summary>
    public ReadOnlySpan<ulong> AllIds => CollectionsMarshal.AsSpan(_ids);

    /// <summary>All numbers, Count × N.</summary>
    public ReadOnlySpan<float> AllNumbers => CollectionsMarshal.AsSpan(_numbers);

    /// <summary>Empties the batch and keeps its memory.</summary>
    public void Clear()
    {
        _ids.Clear();
        _ends.Clear();
        _numbers.Clear();
        Count = 0;
    }

    /// <summary>Where the ids of a feature of an example lie in <see cref="AllIds"/>.</summary>
    public Range Range(int example, int feature)
    {
        var cell = (example * EmbeddedFeatures) + feature;
        return (cell == 0 ? 0 : _ends[cell - 1]).._ends[cell];
    }

    /// <summary>The ids of a feature of an example.</summary>
    public ReadOnlySpan<ulong> Ids(int example, int feature) => AllIds[Range(example, feature)];

    /// <summary>Adds an id to the feature being written.</summary>
    internal void AddId(ulong id) => _ids.Add(id);

    /// <summary>Adds ids to the feature being written.</summary>
    internal void AddIds(ReadOnlySpan<ulong> ids) => _ids.AddRange(ids);

    /// <summary>Ends the feature being written; features come in order.</summary>
    internal void EndFeature() => _ends.Add(_ids.Count);

    /// <summary>Adds a number.</summary>
    internal void AddNumber(float value) => _numbers.Add(value);

    /// <summary>Ends the example being written.</summary>
    internal void EndExample() => Count++;
}
