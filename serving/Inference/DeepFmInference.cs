using System.Globalization;
using System.Numerics.Tensors;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Features;

namespace Monolith.Serving.Inference;

/// <summary>
/// The forward pass of DeepFM (Guo et al., 2017) as <see cref="DenseLayout"/> defines it, in managed code. Examples are
/// computed in blocks of up to <see cref="MaxBlock"/>, so its memory depends on the network and not on the request, and
/// scoring allocates nothing. One thread at a time.
/// </summary>
/// <remarks>
/// The first layer is the place where a request's shared features can be computed once: their columns of
/// <c>mlp.0.weight</c> give the same sums for every candidate.
/// </remarks>
public sealed class DeepFmInference
{
    private const int MaxBlock = 128;
    private const int MaxBlockValues = 1 << 18;
    private readonly DenseLayout _layout;
    private readonly RowPooling _pooling;
    private readonly DenseTensor _bias;
    private readonly DenseTensor? _numericWeight;
    private readonly (DenseTensor Weight, DenseTensor Bias)[] _hidden;
    private readonly DenseTensor _head;
    private readonly int _numbers;
    private readonly int _width;
    private readonly int _block;
    private readonly float[] _inputs;
    private float[] _layer;
    private float[] _nextLayer;
    private readonly float[] _wide;
    private readonly float[] _sum;
    private readonly float[] _sharedFirst;
    private readonly float[] _sharedVectors;

    /// <summary>Prepares for a specification's network.</summary>
    public DeepFmInference(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _layout = DenseLayout.Of(spec);
        _pooling = new RowPooling(spec);
        var tensors = _layout.Tensors.ToDictionary(t => t.Name);
        _bias = tensors["bias"];
        _numericWeight = tensors.GetValueOrDefault("numeric.weight");
        _hidden = [.. spec.Network.Hidden.Select((_, i) => (tensors[Name(i, "weight")], tensors[Name(i, "bias")]))];
        _head = tensors["head.weight"];
        _numbers = spec.Features.OfType<NumericFeature>().Count();
        _width = _pooling.VectorsLength + _numbers;
        var widest = spec.Network.Hidden.DefaultIfEmpty(0).Max();
        _block = Math.Clamp(MaxBlockValues / Math.Max(_width, widest), 1, MaxBlock);
        _inputs = new float[_block * _width];
        _layer = new float[_block * widest];
        _nextLayer = new float[_block * widest];
        _wide = new float[_block];
        _sum = new float[_pooling.Width];
        _sharedFirst = new float[_pooling.Features];
        _sharedVectors = new float[_pooling.VectorsLength];
        Tasks = spec.Tasks.Length;
    }

    /// <summary>t, tasks.</summary>
    public int Tasks { get; }

    /// <summary>1 + k, values of a row.</summary>
    public int RowLength => _pooling.RowLength;

    /// <summary>Values of the dense vector.</summary>
    public int DenseLength => _layout.Length;

    /// <summary>Scores n examples.</summary>
    /// <param name="batch">The examples.</param>
    /// <param name="rows">For each occurrence, the place of its row: <see cref="BatchIds.Rows"/>.</param>
    /// <param name="values">Distinct rows × (1 + k), in the order of <see cref="BatchIds.Ids"/>.</param>
    /// <param name="dense">The dense parameters, <see cref="DenseLength"/>.</param>
    /// <param name="probabilities">Receives n × t, example-major.</param>
    public void Score(
        FeatureBatch batch, ReadOnlySpan<int> rows, ReadOnlySpan<float> values, ReadOnlySpan<float> dense, Span<float> probabilities)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentOutOfRangeException.ThrowIfNotEqual(dense.Length, DenseLength, nameof(dense));
        _pooling.ForwardShared(batch, rows, values, _sharedFirst, _sharedVectors);
        for (var start = 0; start < batch.Count; start += _block)
        {
            var examples = start..Math.Min(start + _block, batch.Count);
            ScoreBlock(batch, examples, rows, values, dense, probabilities[(start * Tasks)..(examples.End.Value * Tasks)]);
        }
    }

    private void ScoreBlock(
        FeatureBatch batch,
        Range examples,
        ReadOnlySpan<int> rows,
        ReadOnlySpan<float> values,
        ReadOnlySpan<float> dense,
        Span<float> probabilities)
    {
        var (start, count) = examples.GetOffsetAndLength(batch.Count);
        _pooling.ForwardExamples(batch, examples, new SharedPools(_sharedFirst, _sharedVectors), rows, values, _wide, _inputs, _width);
        for (var e = 0; e < count; e++)
        {
            var input = _inputs.AsSpan(e * _width, _width);
            batch.AllNumbers.Slice((start + e) * _numbers, _numbers).CopyTo(input[_pooling.VectorsLength..]);
            _wide[e] += Interactions(input[.._pooling.VectorsLength]);
            if (_numericWeight is not null)
            {
                _wide[e] += TensorPrimitives.Dot(input[_pooling.VectorsLength..], Of(_numericWeight, dense));
            }
        }

        ReadOnlySpan<float> last = _inputs;
        foreach (var (weight, bias) in _hidden)
        {
            AffineKernel.Apply(last, Of(weight, dense), Of(bias, dense), _nextLayer, count, rectify: true);
            (_layer, _nextLayer) = (_nextLayer, _layer);
            last = _layer;
        }

        AffineKernel.Apply(last, Of(_head, dense), Of(_bias, dense), probabilities, count, rectify: false);
        for (var e = 0; e < count; e++)
        {
            var example = probabilities.Slice(e * Tasks, Tasks);
            TensorPrimitives.Add(example, _wide[e], example);
            TensorPrimitives.Sigmoid(example, example);
        }
    }

    private static string Name(int layer, string what) => string.Create(CultureInfo.InvariantCulture, $"mlp.{layer}.{what}");

    private static ReadOnlySpan<float> Of(DenseTensor tensor, ReadOnlySpan<float> dense) => dense.Slice(tensor.Offset, tensor.Length);

    // Σ over pairs of features of ⟨vᵢ, vⱼ⟩ = ½·Σ_d ((Σ v)² − Σ v²) (Rendle, 2010).
    private float Interactions(ReadOnlySpan<float> vectors)
    {
        var sum = _sum.AsSpan();
        sum.Clear();
        for (var at = 0; at < vectors.Length; at += sum.Length)
        {
            TensorPrimitives.Add(sum, vectors.Slice(at, sum.Length), sum);
        }

        return 0.5f * (TensorPrimitives.SumOfSquares<float>(sum) - TensorPrimitives.SumOfSquares(vectors));
    }
}
