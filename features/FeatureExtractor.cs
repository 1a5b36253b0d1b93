using System.Collections.Frozen;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Features;

/// <summary>
/// Turns raw values into ids and numbers: the one implementation that training and serving share. One thread at a time.
/// </summary>
/// <remarks>
/// The values of a request's shared fields are extracted once: an extractor remembers them for as long as it is given the
/// same <c>shared</c> instance, which therefore must not be changed between calls (make a new one, or call
/// <see cref="ForgetShared"/>). A field that an item has too is taken from the item. Scoring uses
/// <see cref="BeginRequest"/> and <see cref="AppendCandidate"/>, which also write the shared ids only once.
/// </remarks>
public sealed class FeatureExtractor
{
    private readonly EmbeddedFeature[] _embedded;
    private readonly Plan[] _plans;
    private readonly double?[] _fixedNumbers;
    private readonly Action<int, double>? _seeNumber;
    private readonly RawValues _shared;
    private readonly RawValues _item;
    private IDictionary<string, FeatureValue>? _sharedSource;

    /// <summary>Prepares extraction for a validated specification.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="purpose">What the values are for.</param>
    /// <param name="seeNumber">
    /// Receives the place of a numeric feature and each number that it has, after its transforms and before it is bounded.
    /// </param>
    public FeatureExtractor(ModelSpec spec, ExtractFor purpose, Action<int, double>? seeNumber = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _seeNumber = seeNumber;
        _embedded = [.. spec.Features.OfType<EmbeddedFeature>()];
        Numeric = [.. spec.Features.OfType<NumericFeature>()];
        Sources = spec.Features
            .Select(f => f switch { CategoricalFeature c => c.Source, NumericFeature n => n.Source, _ => null })
            .OfType<string>().ToFrozenSet();
        var tables = spec.WithCanary();
        TableCount = tables.Count;

        var categorical = _embedded.Select(f => f is CategoricalFeature c ? new CategoricalReader(c) : null).ToArray();
        var numeric = Numeric.Select(f => new NumericReader(f)).ToArray();
        FeatureValue? Fixed(FeatureSpec f) =>
            purpose == ExtractFor.Scoring && f.ScoreAs is { } text ? new FeatureValue { Text = text } : null;
        _fixedNumbers = [.. Numeric.Zip(numeric, (f, r) => Fixed(f) is { } value ? r.Read(value) : (double?)null)];
        _plans = [.. _embedded.Select((f, i) => Compile(f, tables, Fixed(f), categorical[i]))];
        NumericReader?[] numericRead = [.. numeric.Select((r, i) => _fixedNumbers[i] is null ? r : null)];
        CategoricalReader?[] categoricalRead = [.. categorical.Select((r, i) => _plans[i].Fixed is null ? r : null)];
        _shared = new RawValues(categoricalRead, numericRead);
        _item = new RawValues(categoricalRead, numericRead);
    }

    /// <summary>The embedded features, in slot order: the feature axis of a batch.</summary>
    public IReadOnlyList<EmbeddedFeature> Embedded => _embedded;

    /// <summary>The numeric features, in slot order: the number axis of a batch.</summary>
    public IReadOnlyList<NumericFeature> Numeric { get; }

    /// <summary>The raw fields that features are made of; other fields are ignored.</summary>
    public IReadOnlySet<string> Sources { get; }

    /// <summary>Tables of the model, the canary table included.</summary>
    public int TableCount { get; }

    /// <summary>Index, in the order of <c>spec.WithCanary()</c>, of the table that holds an embedded feature's rows.</summary>
    public int TableOf(int embeddedIndex) => _plans[embeddedIndex].Table;

    /// <summary>Place of an embedded feature in <see cref="Embedded"/> by its name; −1 when there is none.</summary>
    public int IndexOf(string feature) => Array.FindIndex(_embedded, f => f.Name == feature);

    /// <summary>An empty batch of the right shape.</summary>
    public FeatureBatch CreateBatch() => new(_embedded.Length, Numeric.Count);

    /// <summary>Drops what is remembered of the last <c>shared</c> instance.</summary>
    public void ForgetShared() => _sharedSource = null;

    /// <summary>
    /// Adds one example. A missing or empty value is no id, or the number 0; a number beyond <see cref="SpecLimits.NumberMax"/>
    /// is taken as that bound, in training and in serving alike.
    /// </summary>
    /// <param name="shared">The request's values, by field.</param>
    /// <param name="item">The item's values, by field.</param>
    /// <param name="into">Receives the example.</param>
    /// <exception cref="FeatureException">A value is not what its feature takes; the batch is as it was.</exception>
    public void Append(IDictionary<string, FeatureValue> shared, IDictionary<string, FeatureValue> item, FeatureBatch into)
    {
        ArgumentNullException.ThrowIfNull(shared);
        ArgumentNullException.ThrowIfNull(item);
        ArgumentNullException.ThrowIfNull(into);
        // Everything is read before anything is written, so a bad value leaves no half an example in the batch.
        if (!ReferenceEquals(shared, _sharedSource))
        {
            _sharedSource = null;
            _shared.Read(shared);
            _sharedSource = shared;
        }

        _item.Read(item);
        for (var f = 0; f < _plans.Length; f++)
        {
            WriteIds(f, into);
            into.EndFeature();
        }

        WriteNumbers(into);
        into.EndExample();
    }

    /// <summary>
    /// Begins a batch of one request's candidates: empties it and writes the ids of the shared fields once, for
    /// <see cref="AppendCandidate"/>.
    /// </summary>
    /// <param name="shared">The request's values, by field.</param>
    /// <param name="into">Receives the candidates.</param>
    /// <exception cref="FeatureException">A value is not what its feature takes; the batch is empty.</exception>
    public void BeginRequest(IDictionary<string, FeatureValue> shared, FeatureBatch into)
    {
        ArgumentNullException.ThrowIfNull(shared);
        ArgumentNullException.ThrowIfNull(into);
        into.Clear();
        _sharedSource = null;
        _shared.Read(shared);
        for (var f = 0; f < _plans.Length; f++)
        {
            if (_plans[f].Of is null)
            {
                into.AddShared(f, _plans[f].Fixed ?? _shared.Ids(f));
            }
        }
    }

    /// <summary>
    /// Adds a candidate of the request last begun; the same example as <see cref="Append"/> adds, but shared ids are referred to.
    /// </summary>
    /// <param name="item">The item's values, by field.</param>
    /// <param name="into">The batch given to <see cref="BeginRequest"/>.</param>
    /// <exception cref="FeatureException">A value is not what its feature takes; the batch is as it was.</exception>
    public void AppendCandidate(IDictionary<string, FeatureValue> item, FeatureBatch into)
    {
        ArgumentNullException.ThrowIfNull(item);
        ArgumentNullException.ThrowIfNull(into);
        _item.Read(item);
        for (var f = 0; f < _plans.Length; f++)
        {
            if (_plans[f].Of is null && (_plans[f].Fixed is not null || !_item.HasIds(f)))
            {
                into.EndFeatureAsShared(f);
            }
            else
            {
                WriteIds(f, into);
                into.EndFeature();
            }
        }

        WriteNumbers(into);
        into.EndExample();
    }

    // One absurd number would make the scores and gradients of its whole micro-batch overflow.
    private float Bound(int feature, double number)
    {
        _seeNumber?.Invoke(feature, number);
        return (float)Math.Clamp(number, -SpecLimits.NumberMax, SpecLimits.NumberMax);
    }

    private void WriteIds(int feature, FeatureBatch into)
    {
        var plan = _plans[feature];
        if (plan.Of is not { } components)
        {
            into.AddIds(IdsOf(feature));
            return;
        }

        var cross = plan.Salt;
        foreach (var component in components)
        {
            var ids = IdsOf(component);
            if (ids.IsEmpty)
            {
                return;
            }

            cross = FeatureId.Cross(cross, ids[0]);
        }

        into.AddId(cross);
    }

    private void WriteNumbers(FeatureBatch into)
    {
        for (var n = 0; n < _fixedNumbers.Length; n++)
        {
            into.AddNumber((_fixedNumbers[n] ?? _item.Number(n) ?? _shared.Number(n)) is { } number ? Bound(n, number) : 0);
        }
    }

    private ReadOnlySpan<ulong> IdsOf(int feature) =>
        _plans[feature].Fixed ?? (_item.HasIds(feature) ? _item.Ids(feature) : _shared.Ids(feature));

    private Plan Compile(
        EmbeddedFeature feature, IReadOnlyList<TableSpec> tables, FeatureValue? scoreAs, CategoricalReader? reader)
    {
        List<ulong>? ids = null;
        if (scoreAs is not null)
        {
            reader?.Read(scoreAs, ids = []);
        }

        return new Plan(
            tables.Index().First(t => t.Item.Name == feature.Table).Index,
            FeatureId.Salt(feature.Name),
            ids?.ToArray(),
            feature is CrossFeature cross ? [.. cross.Of.Select(IndexOf)] : null);
    }

    /// <param name="Table">Index of the table.</param>
    /// <param name="Salt">Salt of a cross's ids.</param>
    /// <param name="Fixed">The ids whatever the request says; null when it is asked.</param>
    /// <param name="Of">Embedded indexes of a cross's components; null for what is read from a field.</param>
    private sealed record Plan(int Table, ulong Salt, ulong[]? Fixed, int[]? Of);
}
