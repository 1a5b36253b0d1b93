using BenchmarkDotNet.Attributes;
using Monolith.Bench.Table;
using Monolith.Embeddings;

namespace Monolith.Bench.Inner;

/// <summary>Finding rows: the design in use, and those that were tried and rejected.</summary>
[MemoryDiagnoser]
public class LookupDesigns
{
    private const int Batches = 64;
    private Workload _workload = null!;
    private EmbeddingTable _table = null!;
    private LinearProbing _linear = null!;
    private Fingerprints _fingerprints = null!;
    private ulong[] _ids = null!;
    private float[] _values = null!;
    private int _turn;

    [Params(4_000_000)]
    public long Rows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _workload = new Workload(Rows, 16, Draw.Uniform);
        var ours = new Ours(16);
        ours.Fill(_workload);
        _table = ours.Table;
        _linear = new LinearProbing(_workload);
        _fingerprints = new Fingerprints(_workload);
        _ids = new ulong[Batches * Workload.Batch];
        _values = new float[Workload.Batch * 16];
        _workload.FillDistinct(_ids, new Random(1));
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Workload.Batch)]
    public void Pipelined() => _table.Lookup(Next(), _values);

    [Benchmark(OperationsPerInvoke = Workload.Batch)]
    public void OneByOne()
    {
        var ids = Next();
        for (var i = 0; i < ids.Length; i++)
        {
            _table.Lookup(ids.Slice(i, 1), _values.AsSpan(i * 16, 16));
        }
    }

    /// <summary>Open addressing at 70 % load, pipelined: one line an id and no second choice, but 23 to 46 bytes a row.</summary>
    [Benchmark(OperationsPerInvoke = Workload.Batch)]
    public void LinearProbingPipelined() => _linear.Lookup(Next(), _values);

    /// <summary>Buckets of ten 16-bit fingerprints; the id lies apart and costs a line of its own.</summary>
    [Benchmark(OperationsPerInvoke = Workload.Batch)]
    public void FingerprintsPipelined() => _fingerprints.Lookup(Next(), _values);

    private ReadOnlySpan<ulong> Next() => _ids.AsSpan(_turn++ % Batches * Workload.Batch, Workload.Batch);
}
