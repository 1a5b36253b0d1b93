using System.Collections.Immutable;
using Monolith.Contracts.Specification;

namespace Monolith.Contracts.Network;

/// <summary>One dense tensor inside the flat parameter vector.</summary>
/// <param name="Name">For example <c>mlp.0.weight</c>.</param>
/// <param name="Shape">Row-major; a weight is [outputs, inputs].</param>
/// <param name="Offset">First value in the flat vector.</param>
public sealed record DenseTensor(string Name, ImmutableArray<int> Shape, int Offset)
{
    /// <summary>Number of values.</summary>
    public int Length => Shape.Aggregate(1, (a, b) => a * b);
}

/// <summary>
/// Where each dense tensor of a network lies in the one flat float32 vector that trainer, federation and serving share.
/// </summary>
public sealed class DenseLayout
{
    private DenseLayout(ImmutableArray<DenseTensor> tensors)
    {
        Tensors = tensors;
        Length = tensors.Sum(t => t.Length);
    }

    /// <summary>The tensors in order.</summary>
    public ImmutableArray<DenseTensor> Tensors { get; }

    /// <summary>Length of the flat vector.</summary>
    public int Length { get; }

    /// <summary>
    /// The layout of a specification's network. DeepFM with E embedded features of vector width k, N numeric features,
    /// hidden widths h₀…, T tasks: <c>bias</c> [T]; <c>numeric.weight</c> [N] (first-order weights of numbers; left out when
    /// N = 0); for each hidden layer i <c>mlp.i.weight</c> [hᵢ, inputs] and <c>mlp.i.bias</c> [hᵢ], the first layer's inputs
    /// being the E·k pooled vectors in slot order and then the N numbers; <c>head.weight</c> [T, h_last].
    /// </summary>
    public static DenseLayout Of(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var embedded = spec.Features.OfType<EmbeddedFeature>().Count();
        var numeric = spec.Features.OfType<NumericFeature>().Count();
        var width = spec.Tables.Max(t => t.Segments[^1].Dimension);
        var tensors = ImmutableArray.CreateBuilder<DenseTensor>();
        var offset = 0;
        void Add(string name, params ImmutableArray<int> shape)
        {
            var tensor = new DenseTensor(name, shape, offset);
            tensors.Add(tensor);
            offset += tensor.Length;
        }

        Add("bias", spec.Tasks.Length);
        if (numeric > 0)
        {
            Add("numeric.weight", numeric);
        }

        var inputs = (embedded * width) + numeric;
        for (var i = 0; i < spec.Network.Hidden.Length; i++)
        {
            Add($"mlp.{i}.weight", spec.Network.Hidden[i], inputs);
            Add($"mlp.{i}.bias", spec.Network.Hidden[i]);
            inputs = spec.Network.Hidden[i];
        }

        Add("head.weight", spec.Tasks.Length, inputs);
        return new DenseLayout(tensors.ToImmutable());
    }

    /// <summary>
    /// Initial values, a pure function of the specification and its seed: weights uniform ±√(6 / (inputs + outputs)) (Glorot
    /// and Bengio, 2010), biases zero, the output bias at the log odds of each task's base rate.
    /// </summary>
    /// <param name="spec">The specification this layout is of.</param>
    /// <param name="values">Receives <see cref="Length"/> values.</param>
    public void Initialize(ModelSpec spec, Span<float> values)
    {
        ArgumentNullException.ThrowIfNull(spec);
        values[..Length].Clear();
        foreach (var tensor in Tensors)
        {
            var span = values.Slice(tensor.Offset, tensor.Length);
            if (tensor.Name == "bias")
            {
                for (var t = 0; t < span.Length; t++)
                {
                    span[t] = (float)Math.Log(spec.Tasks[t].BaseRate / (1 - spec.Tasks[t].BaseRate));
                }
            }
            else if (tensor.Shape.Length == 2)
            {
                var bound = Math.Sqrt(6.0 / (tensor.Shape[0] + tensor.Shape[1]));
                var state = spec.Seed ^ System.IO.Hashing.XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(tensor.Name));
                for (var i = 0; i < span.Length; i++)
                {
                    span[i] = (float)(((SplitMix(ref state) >> 11) * (1.0 / (1UL << 53)) * 2 - 1) * bound);
                }
            }
        }
    }

    // SplitMix64 (Steele, Lea, Flood, 2014).
    private static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9e3779b97f4a7c15UL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }
}
