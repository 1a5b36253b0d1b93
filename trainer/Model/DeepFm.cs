using System.Globalization;
using System.Runtime.InteropServices;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Trainer.Native;
using static TorchSharp.torch;

namespace Monolith.Trainer.Model;

/// <summary>
/// DeepFM (Guo et al., 2017) as <see cref="DenseLayout"/> defines it, learned with TorchSharp on the CPU. One thread at a time.
/// </summary>
/// <remarks>
/// Dense parameters, and their gradients, are views of one flat tensor each, so that the optimizer, averaging and transfer
/// are operations on one span. Rows are pooled outside autograd (<see cref="RowPooling"/>): torch sees the pooled
/// [n, E·k + N] inputs as a leaf, and its gradient is scattered back to rows. The loss enters as ∂L/∂logit. Row gradients
/// are summed over the examples and dense ones averaged, a partial micro-batch counting in proportion.
/// </remarks>
public sealed class DeepFm : IDisposable
{
    private readonly RowPooling _pooling;
    private readonly CrossEntropy _loss;
    private readonly int _embedded;
    private readonly int _numbers;
    private readonly int _microBatch;
    private readonly Tensor _parameters;
    private readonly Tensor _gradient;
    private readonly Tensor _bias;
    private readonly Tensor? _numericWeight;
    private readonly (Tensor Weight, Tensor Bias)[] _hidden;
    private readonly Tensor _head;
    private readonly List<Tensor> _views = [];
    private Tensor _inputs = null!;
    private Tensor _first = null!;
    private Tensor _logitGradient = null!;
    private float[] _firstGradient = [];
    private int _capacity;

    /// <summary>Builds the network with its initial parameters.</summary>
    /// <exception cref="PlatformNotSupportedException">LibTorch cannot be loaded here.</exception>
    public DeepFm(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        TorchRuntime.Load();
        Layout = DenseLayout.Of(spec);
        _pooling = new RowPooling(spec);
        _loss = new CrossEntropy(spec);
        _embedded = spec.Features.OfType<EmbeddedFeature>().Count();
        _numbers = spec.Features.OfType<NumericFeature>().Count();
        Tasks = spec.Tasks.Length;
        _parameters = zeros(Layout.Length).DetachFromDisposeScope();
        _gradient = zeros(Layout.Length).DetachFromDisposeScope();
        Layout.Initialize(spec, Parameters);
        var views = Layout.Tensors.ToDictionary(t => t.Name, View);
        _bias = views["bias"];
        _numericWeight = views.GetValueOrDefault("numeric.weight");
        _hidden = [.. spec.Network.Hidden.Select((_, i) => (views[Name(i, "weight")], views[Name(i, "bias")]))];
        _head = views["head.weight"];
        _microBatch = spec.Training.MicroBatch;
        Reserve(_microBatch);
    }

    /// <summary>Where each tensor lies in <see cref="Parameters"/> and <see cref="Gradient"/>.</summary>
    public DenseLayout Layout { get; }

    /// <summary>t, tasks.</summary>
    public int Tasks { get; }

    /// <summary>1 + k, values of a row.</summary>
    public int RowLength => _pooling.RowLength;

    /// <summary>The dense parameters themselves: writing here changes the network.</summary>
    public Span<float> Parameters => Values(_parameters);

    /// <summary>
    /// Gradient of the dense parameters at the last <see cref="Learn"/>: the sum over its examples divided by their number, or
    /// by the specification's micro-batch if they are fewer.
    /// </summary>
    public ReadOnlySpan<float> Gradient => Values(_gradient);

    /// <summary>Scores n examples.</summary>
    /// <param name="batch">The examples.</param>
    /// <param name="rows">For each occurrence, the place of its row.</param>
    /// <param name="values">Distinct rows × (1 + k).</param>
    /// <param name="probabilities">Receives n × t.</param>
    public void Score(FeatureBatch batch, ReadOnlySpan<int> rows, ReadOnlySpan<float> values, Span<float> probabilities)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Count == 0)
        {
            return;
        }

        set_num_threads(1);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        CrossEntropy.Probabilities(Values(Forward(Pool(batch, rows, values), batch.Count)), probabilities);
    }

    /// <summary>Scores n examples, and then computes the gradients of the loss over them. Changes no parameter.</summary>
    /// <param name="batch">The examples.</param>
    /// <param name="rows">For each occurrence, the place of its row.</param>
    /// <param name="values">Distinct rows × (1 + k).</param>
    /// <param name="targets">Labels and weights of the examples.</param>
    /// <param name="probabilities">Receives n × t: what was believed before.</param>
    /// <param name="rowGradients">Receives distinct rows × (1 + k), summed over the examples.</param>
    public void Learn(
        FeatureBatch batch, ReadOnlySpan<int> rows, ReadOnlySpan<float> values, Targets targets,
        Span<float> probabilities, Span<float> rowGradients)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentOutOfRangeException.ThrowIfNotEqual(targets.Count, batch.Count, nameof(targets));
        rowGradients.Clear();
        Values(_gradient).Clear();
        if (batch.Count == 0)
        {
            return;
        }

        // The setting belongs to the calling thread: micro-batches are too small to share, and workers run side by side.
        set_num_threads(1);
        using var scope = NewDisposeScope();
        var inputs = Pool(batch, rows, values).detach().requires_grad_(true);
        var logits = Forward(inputs, batch.Count);
        CrossEntropy.Probabilities(Values(logits), probabilities);
        var logitGradient = _logitGradient.narrow(0, 0, batch.Count);
        _loss.Gradient(Values(logits), targets, Values(logitGradient));
        logits.backward([logitGradient]);

        var first = SumOverTasks(Values(logitGradient));
        _pooling.Backward(batch, rows, first, Values(inputs.grad!), InputLength, rowGradients);
        // A partial micro-batch takes a step in proportion: a click that comes alone must not weigh as much as 64 examples
        // that come together, or live scores are far too high (the demo's calibration was 1.55).
        var gradient = Values(_gradient);
        System.Numerics.Tensors.TensorPrimitives.Multiply(gradient, 1f / Math.Max(batch.Count, _microBatch), gradient);
    }

    /// <summary>Frees the native memory.</summary>
    public void Dispose()
    {
        foreach (var tensor in _views.Concat([_parameters, _gradient, _inputs, _first, _logitGradient]))
        {
            tensor.Dispose();
        }
    }

    private int InputLength => _pooling.VectorsLength + _numbers;

    private static string Name(int layer, string what) => string.Create(CultureInfo.InvariantCulture, $"mlp.{layer}.{what}");

    private static Span<float> Values(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    // A leaf over a stretch of the flat vector, whose gradient torch adds to the same stretch of the flat gradient.
    private Tensor View(DenseTensor tensor)
    {
        long[] shape = [.. tensor.Shape.Select(d => (long)d)];
        using var scope = NewDisposeScope();
        Tensor Stretch(Tensor of) => of.narrow(0, tensor.Offset, tensor.Length).view(shape).detach();
        var view = Stretch(_parameters).requires_grad_(true).DetachFromDisposeScope();
        var gradient = Stretch(_gradient).DetachFromDisposeScope();
        view.grad = gradient;
        _views.Add(view);
        _views.Add(gradient);
        return view;
    }

    // [n, E·k + N]: pooled vectors, then numbers; and the sums of first-order weights beside it.
    private Tensor Pool(FeatureBatch batch, ReadOnlySpan<int> rows, ReadOnlySpan<float> values)
    {
        Reserve(batch.Count);
        var inputs = Values(_inputs);
        _pooling.Forward(batch, rows, values, Values(_first), inputs, InputLength);
        for (var e = 0; e < batch.Count && _numbers > 0; e++)
        {
            batch.AllNumbers.Slice(e * _numbers, _numbers).CopyTo(inputs[((e * InputLength) + _pooling.VectorsLength)..]);
        }

        return _inputs.narrow(0, 0, batch.Count);
    }

    private Tensor Forward(Tensor inputs, int count)
    {
        var vectors = inputs.narrow(1, 0, _pooling.VectorsLength).view(count, _embedded, _pooling.Width);
        var sum = vectors.sum(1);
        var interactions = (sum.square().sum(1) - vectors.square().sum([1, 2])) * 0.5f;
        var shared = interactions + _first.narrow(0, 0, count);
        if (_numericWeight is not null)
        {
            shared += inputs.narrow(1, _pooling.VectorsLength, _numbers).mv(_numericWeight);
        }

        var hidden = inputs;
        foreach (var (weight, bias) in _hidden)
        {
            hidden = addmm(bias, hidden, weight.t(), 1, 1).relu_();
        }

        return addmm(_bias, hidden, _head.t(), 1, 1) + shared.unsqueeze(1);
    }

    private ReadOnlySpan<float> SumOverTasks(ReadOnlySpan<float> logitGradient)
    {
        if (Tasks == 1)
        {
            return logitGradient;
        }

        var count = logitGradient.Length / Tasks;
        for (var e = 0; e < count; e++)
        {
            _firstGradient[e] = System.Numerics.Tensors.TensorPrimitives.Sum(logitGradient.Slice(e * Tasks, Tasks));
        }

        return _firstGradient.AsSpan(0, count);
    }

    private void Reserve(int examples)
    {
        if (examples <= _capacity)
        {
            return;
        }

        _inputs?.Dispose();
        _first?.Dispose();
        _logitGradient?.Dispose();
        _inputs = zeros(examples, InputLength).DetachFromDisposeScope();
        _first = zeros(examples).DetachFromDisposeScope();
        _logitGradient = zeros(examples, Tasks).DetachFromDisposeScope();
        _firstGradient = new float[examples];
        _capacity = examples;
    }
}
