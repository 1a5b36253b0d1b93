using BenchmarkDotNet.Attributes;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Rows;

namespace Monolith.Bench.Inner;

/// <summary>Rows of 16 bits in the cache: read, and written both ways.</summary>
public unsafe class RowConversions
{
    private const int Rows = 16;
    private readonly float[] _wide = GC.AllocateArray<float>(Rows * 64, pinned: true);
    private readonly byte[] _kept = GC.AllocateArray<byte>(Rows * 64 * 2, pinned: true);
    private uint _random;

    [Params(RowPrecision.Float16, RowPrecision.BFloat16)]
    public RowPrecision Precision { get; set; }

    [Params(16, 64)]
    public int Dimension { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        for (var i = 0; i < _wide.Length; i++)
        {
            _wide[i] = (float)(random.NextDouble() - 0.5);
        }

        Nearest();
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public void Read() => Each(static (bench, kept, wide) => ValueCodec.Read(bench.Precision, kept, wide, bench.Dimension));

    [Benchmark(OperationsPerInvoke = Rows)]
    public void Nearest() => Each(static (bench, kept, wide) => ValueCodec.WriteNearest(bench.Precision, wide, kept, bench.Dimension));

    [Benchmark(OperationsPerInvoke = Rows)]
    public void AtRandom() =>
        Each(static (bench, kept, wide) => ValueCodec.WriteAtRandom(bench.Precision, wide, kept, bench.Dimension, bench._random++));

    private delegate void Conversion(RowConversions bench, byte* kept, float* wide);

    private void Each(Conversion conversion)
    {
        fixed (float* wide = _wide)
        fixed (byte* kept = _kept)
        {
            for (var row = 0; row < Rows; row++)
            {
                conversion(this, kept + (row * Dimension * 2), wide + (row * Dimension));
            }
        }
    }
}
