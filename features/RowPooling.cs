using System.Numerics;
using System.Runtime.InteropServices;
using Monolith.Contracts.Specification;

namespace Monolith.Features;

/// <summary>
/// From rows to the inputs of a network, and from the inputs' gradients back to rows: the rows of a feature's ids become
/// one vector by its combiner. A row is a first-order weight and then a vector of width k. Shared by training and serving;
/// allocates nothing; safe for concurrent use.
/// </summary>
public sealed class RowPooling
{
    private readonly Combiner[] _combiners;

    /// <summary>Prepares for a specification's embedded features.</summary>
    public RowPooling(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _combiners = [.. spec.Features.OfType<EmbeddedFeature>().Select(f => f.Combiner)];
        Width = spec.Tables.Max(t => t.Segments[^1].Dimension);
    }

    /// <summary>k, width of a row's vector.</summary>
    public int Width { get; }

    /// <summary>1 + k, values of a row.</summary>
    public int RowLength => Width + 1;

    /// <summary>E·k, values of an example's pooled vectors.</summary>
    public int VectorsLength => _combiners.Length * Width;

    /// <summary>E, embedded features.</summary>
    public int Features => _combiners.Length;

    /// <summary>Pools the rows of B examples.</summary>
    /// <param name="batch">Which ids each feature of each example has.</param>
    /// <param name="rows">For each occurrence, the place of its row: <see cref="BatchIds.Rows"/>.</param>
    /// <param name="values">The rows, n × (1 + k).</param>
    /// <param name="first">Receives B sums of pooled first-order weights.</param>
    /// <param name="vectors">Receives B × stride: each example's E × k pooled vectors; what lies behind them stays.</param>
    /// <param name="stride">Distance between examples in <paramref name="vectors"/>, at least E·k.</param>
    public void Forward(
        FeatureBatch batch, ReadOnlySpan<int> rows, ReadOnlySpan<float> values, Span<float> first, Span<float> vectors, int stride)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ForwardExamples(batch, 0..batch.Count, default, rows, values, first, vectors, stride);
    }

    /// <summary>Pools the ids that a batch's examples share, once for all of them.</summary>
    /// <param name="batch">As in <see cref="Forward"/>.</param>
    /// <param name="rows">For each occurrence, the place of its row.</param>
    /// <param name="values">The rows, n × (1 + k).</param>
    /// <param name="first">Receives E pooled first-order weights.</param>
    /// <param name="vectors">Receives E × k.</param>
    public void ForwardShared(
        FeatureBatch batch, ReadOnlySpan<int> rows, ReadOnlySpan<float> values, Span<float> first, Span<float> vectors)
    {
        ArgumentNullException.ThrowIfNull(batch);
        for (var f = 0; f < _combiners.Length; f++)
        {
            first[f] = Pool(rows[batch.SharedRange(f)], _combiners[f], values, vectors.Slice(f * Width, Width));
        }
    }

    /// <summary>Pools the rows of some examples; what they share was pooled before.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="examples">Which of its examples.</param>
    /// <param name="shared">What <see cref="ForwardShared"/> received; not read when the batch shares nothing.</param>
    /// <param name="rows">For each occurrence, the place of its row.</param>
    /// <param name="values">The rows, n × (1 + k).</param>
    /// <param name="first">Receives a sum of pooled first-order weights for each of the examples.</param>
    /// <param name="vectors">Receives the examples' E × k pooled vectors, <paramref name="stride"/> apart.</param>
    /// <param name="stride">Distance between examples in <paramref name="vectors"/>, at least E·k.</param>
    public void ForwardExamples(
        FeatureBatch batch,
        Range examples,
        SharedPools shared,
        ReadOnlySpan<int> rows,
        ReadOnlySpan<float> values,
        Span<float> first,
        Span<float> vectors,
        int stride)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var (begin, count) = examples.GetOffsetAndLength(batch.Count);
        for (var e = 0; e < count; e++)
        {
            var sum = 0f;
            var example = vectors.Slice(e * stride, VectorsLength);
            for (var f = 0; f < _combiners.Length; f++)
            {
                var vector = example.Slice(f * Width, Width);
                if (batch.HasShared(begin + e, f))
                {
                    shared.Vectors.Slice(f * Width, Width).CopyTo(vector);
                    sum += shared.First[f];
                }
                else
                {
                    sum += Pool(rows[batch.Range(begin + e, f)], _combiners[f], values, vector);
                }
            }

            first[e] = sum;
        }
    }

    /// <summary>Adds the gradients of pooled inputs to those of the rows they came from.</summary>
    /// <param name="batch">As in <see cref="Forward"/>.</param>
    /// <param name="rows">As in <see cref="Forward"/>.</param>
    /// <param name="first">B gradients of the first-order sums.</param>
    /// <param name="vectors">B × stride gradients of the pooled vectors.</param>
    /// <param name="stride">Distance between examples in <paramref name="vectors"/>.</param>
    /// <param name="gradients">n × (1 + k), added to: a row's gradient is the sum over its occurrences.</param>
    public void Backward(
        FeatureBatch batch, ReadOnlySpan<int> rows, ReadOnlySpan<float> first, ReadOnlySpan<float> vectors, int stride, Span<float> gradients)
    {
        ArgumentNullException.ThrowIfNull(batch);
        for (var e = 0; e < batch.Count; e++)
        {
            var example = vectors.Slice(e * stride, VectorsLength);
            for (var f = 0; f < _combiners.Length; f++)
            {
                var occurrences = rows[batch.Range(e, f)];
                var scale = Scale(_combiners[f], occurrences.Length);
                foreach (var row in occurrences)
                {
                    var gradient = gradients.Slice(row * RowLength, RowLength);
                    gradient[0] += scale * first[e];
                    AddScaled(example.Slice(f * Width, Width), scale, gradient[1..]);
                }
            }
        }
    }

    private float Pool(ReadOnlySpan<int> occurrences, Combiner combiner, ReadOnlySpan<float> values, Span<float> vector)
    {
        if (occurrences.Length == 1)
        {
            var row = values.Slice(occurrences[0] * RowLength, RowLength);
            row[1..].CopyTo(vector);
            return row[0];
        }

        vector.Clear();
        var weight = 0f;
        var scale = Scale(combiner, occurrences.Length);
        foreach (var occurrence in occurrences)
        {
            var row = values.Slice(occurrence * RowLength, RowLength);
            weight += row[0];
            AddScaled(row[1..], scale, vector);
        }

        return scale * weight;
    }

    private static float Scale(Combiner combiner, int count) => combiner switch
    {
        Combiner.Mean when count > 1 => 1f / count,
        Combiner.SqrtN when count > 1 => 1f / MathF.Sqrt(count),
        _ => 1f,
    };

    // y += scale · x. Rows are short: a call into a general library would cost more than the additions.
    private static void AddScaled(ReadOnlySpan<float> x, float scale, Span<float> y)
    {
        var i = 0;
        if (Vector.IsHardwareAccelerated && y.Length >= Vector<float>.Count)
        {
            ref var from = ref MemoryMarshal.GetReference(x[..y.Length]);
            ref var to = ref MemoryMarshal.GetReference(y);
            for (; i <= y.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var sum = Vector.LoadUnsafe(ref to, (nuint)i) + (Vector.LoadUnsafe(ref from, (nuint)i) * scale);
                sum.StoreUnsafe(ref to, (nuint)i);
            }
        }

        for (; i < y.Length; i++)
        {
            y[i] += scale * x[i];
        }
    }
}

/// <summary>What a batch's examples share, pooled once.</summary>
/// <param name="first">E pooled first-order weights.</param>
/// <param name="vectors">E × k.</param>
public readonly ref struct SharedPools(ReadOnlySpan<float> first, ReadOnlySpan<float> vectors)
{
    /// <summary>E pooled first-order weights.</summary>
    public ReadOnlySpan<float> First { get; } = first;

    /// <summary>E × k.</summary>
    public ReadOnlySpan<float> Vectors { get; } = vectors;
}
