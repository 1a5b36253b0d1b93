using System.Runtime.InteropServices;

namespace Monolith.Features;

/// <summary>
/// Ids and numbers of a batch of examples, reused from batch to batch. Example-major: the ids of embedded feature f of
/// example e are <c>Ids(e, f)</c>, any number of them.
/// </summary>
/// <remarks>
/// A batch of one request's candidates holds the ids of the request's shared features once, at the front of
/// <see cref="AllIds"/>; each example that has no value of its own refers to them. So its size is a sum, not a product.
/// Other batches share nothing: each <see cref="SharedRange"/> is empty.
/// </remarks>
/// <param name="embeddedFeatures">E, embedded features an example.</param>
/// <param name="numericFeatures">N, numbers an example.</param>
public sealed class FeatureBatch(int embeddedFeatures, int numericFeatures)
{
    private readonly List<ulong> _ids = [];
    private readonly List<(int Start, int End)> _cells = [];
    private readonly List<float> _numbers = [];
    private readonly (int Start, int End)[] _shared = new (int, int)[embeddedFeatures];

    private int _written;

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
        _cells.Clear();
        _numbers.Clear();
        Array.Clear(_shared);
        _written = 0;
        Count = 0;
    }

    /// <summary>Where the ids of a feature of an example lie in <see cref="AllIds"/>.</summary>
    public Range Range(int example, int feature)
    {
        var (start, end) = _cells[(example * EmbeddedFeatures) + feature];
        return start..end;
    }

    /// <summary>Where the ids of a feature lie that examples share; empty when they share none.</summary>
    public Range SharedRange(int feature) => _shared[feature].Start.._shared[feature].End;

    /// <summary>Whether an example has the shared ids of a feature, of which there is at least one.</summary>
    public bool HasShared(int example, int feature) =>
        _shared[feature] is var shared && shared.End > shared.Start && _cells[(example * EmbeddedFeatures) + feature] == shared;

    /// <summary>The ids of a feature of an example.</summary>
    public ReadOnlySpan<ulong> Ids(int example, int feature) => AllIds[Range(example, feature)];

    /// <summary>Adds an id to the feature being written.</summary>
    internal void AddId(ulong id) => _ids.Add(id);

    /// <summary>Adds ids to the feature being written.</summary>
    internal void AddIds(ReadOnlySpan<ulong> ids) => _ids.AddRange(ids);

    /// <summary>Ends the feature being written; features come in order.</summary>
    internal void EndFeature()
    {
        _cells.Add((_written, _ids.Count));
        _written = _ids.Count;
    }

    /// <summary>Adds the ids of a feature that examples share; the features come in order, before the first example.</summary>
    internal void AddShared(int feature, ReadOnlySpan<ulong> ids)
    {
        _ids.AddRange(ids);
        _shared[feature] = (_written, _ids.Count);
        _written = _ids.Count;
    }

    /// <summary>Ends the feature being written, which has the shared ids.</summary>
    internal void EndFeatureAsShared(int feature) => _cells.Add(_shared[feature]);

    /// <summary>Adds a number.</summary>
    internal void AddNumber(float value) => _numbers.Add(value);

    /// <summary>Ends the example being written.</summary>
    internal void EndExample() => Count++;
}
