using BenchmarkDotNet.Attributes;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Optimizers;

namespace Monolith.Bench.Inner;

/// <summary>An optimizer's step on rows in the cache: vectors and their scalar twin.</summary>
public unsafe class UpdateKernels
{
    private const int Rows = 16;
    private readonly float[] _memory = GC.AllocateArray<float>(Rows * 64 * 4, pinned: true);
    private SegmentUpdater _vector = null!;
    private SegmentUpdater _scalar = null!;

    [Params("sgd", "adagrad", "adam", "ftrl", "row_wise_adagrad")]
    public string Optimizer { get; set; } = "";

    [Params(16, 64)]
    public int Dimension { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var segment = new SegmentSpec
        {
            Dimension = Dimension,
            Optimizer = Optimizer switch
            {
                "sgd" => new SgdOptimizer(),
                "adagrad" => new AdagradOptimizer(),
                "adam" => new SparseAdamOptimizer(),
                "ftrl" => new FtrlOptimizer(),
                _ => new RowWiseAdagradOptimizer(),
            },
        };
        _memory.AsSpan().Fill(0.1f);
        _vector = SegmentUpdaters.Create<VectorLane>(segment);
        _scalar = SegmentUpdaters.Create<ScalarLane>(segment);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Rows)]
    public void Vectors() => Step(_vector);

    [Benchmark(OperationsPerInvoke = Rows)]
    public void Scalars() => Step(_scalar);

    private void Step(SegmentUpdater updater)
    {
        var values = stackalloc float*[Rows];
        var states = stackalloc float*[Rows];
        fixed (float* memory = _memory)
        {
            for (var i = 0; i < Rows; i++)
            {
                values[i] = memory + (i * 4 * Dimension);
                states[i] = values[i] + Dimension;
            }

            updater.Apply(values, states, values, Rows, new SegmentPlace(0, 0), new StepContext(1e-6f, 1));
        }
    }
}
