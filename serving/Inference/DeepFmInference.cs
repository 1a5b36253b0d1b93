using System.Globalization;
using System.Numerics.Tensors;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Features;

namespace Monolith.Serving.Inference;

/// <summary>
/// The forward pass of DeepFM (Guo et al., 2017) as <see cref="DenseLayout"/> defines it, in managed code. Buffers are
/// reused: once they have grown to the largest request, scoring allocates nothing. One thread at a time.
/// </summary>
/// <remarks>
/// The first layer is the place where a request's shared features can be computed once: their columns of
/// <c>mlp.0.weight</c> give the same sums for every candidate.
/// </remarks>
public sealed class DeepFmInference
{
    private readonly DenseLayout _layout;
    private readonly RowPooling _pooling;
    private readonly DenseTensor _bias;
    private readonly DenseTensor? _numericWeight;
    private readonly (DenseTensor Weight, DenseTensor Bias)[] _hidden;
    private readonly DenseTensor _head;
    private readonly int _numbers;
    private readonly int _widest;
    private float[] _inputs = [];
    private float[] _layer = [];
    private float[] _nextLayer = [];
    private float[] _shared = [];
    private readonly float[] _sum;

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
        _widest = spec.Network.Hidden.DefaultIfEmpty(0).Max();
        _sum = new float[_pooling.Width];
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
        var (count, width) = (batch.Count, _pooling.VectorsLength + _numbers);
        Reserve(count, width);
        _pooling.Forward(batch, rows, values, _shared, _inputs, width);
        for (var e = 0; e < count; e++)
        {
            var input = _inputs.AsSpan(e * width, width);
            batch.AllNumbers.Slice(e * _numbers, _numbers).CopyTo(input[_pooling.VectorsLength..]);
            _shared[e] += Interactions(input[.._pooling.VectorsLength]);
            if (_numericWeight is not null)
            {
                _shared[e] += TensorPrimitives.Dot(input[_pooling.VectorsLength..], Of(_numericWeight, dense));
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
            TensorPrimitives.Add(example, _shared[e], example);
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

    private void Reserve(int count, int width)
    {
        if (_shared.Length < count)
        {
            _shared = new float[count];
            _inputs = new float[count * width];
            _layer = new float[count * _widest];
            _nextLayer = new float[count * _widest];
        }
    }
}
