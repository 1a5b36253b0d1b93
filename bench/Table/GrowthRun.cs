using System.Diagnostics;
using Monolith.Contracts.Specification;
using Monolith.Embeddings;
using Monolith.Embeddings.Index;

namespace Monolith.Bench.Table;

/// <summary>
/// What each batch of 1,024 new ids costs from empty on. Several identical runs (same ids, same hash); a batch's time is its
/// least over the runs, so that it is the table's and not the machine's.
/// </summary>
public sealed class GrowthRun(long rows, int dimension, int runs)
{
    private readonly double[] _least = [.. Enumerable.Repeat(double.MaxValue, (int)(rows / Workload.Batch))];

    private readonly double[] _leastCpu = [.. Enumerable.Repeat(double.MaxValue, (int)(rows / Workload.Batch))];

    /// <summary>The slowest batch over the median one.</summary>
    public double MaxOverMedian => _least[^1] / At(0.5);

    /// <summary>The same by the time the thread ran.</summary>
    public double MaxOverMedianCpu => _leastCpu[^1] / _leastCpu[_leastCpu.Length / 2];

    /// <summary>The median batch by the time the thread ran, in seconds.</summary>
    public double MedianCpu => _leastCpu[_leastCpu.Length / 2];

    /// <summary>Rows a second, by the sum of the batches' least times.</summary>
    public double InsertsPerSecond => _least.Length * (double)Workload.Batch / _least.Sum();

    /// <summary>Mean and least load of a sub-table when it grew.</summary>
    public (double Mean, double Least) LoadBeforeGrowth { get; private set; }

    /// <summary>A quantile of the batches' times, in seconds.</summary>
    public double At(double quantile) => _least[Math.Min(_least.Length - 1, (int)(quantile * _least.Length))];

    /// <summary>Measures.</summary>
    public void Run()
    {
        for (var run = 0; run < runs; run++)
        {
            using var table = new EmbeddingTable(Spec(dimension), 1, TableContent.Training, new IdHash(11, 22, 33));
            Fill(table);
            LoadBeforeGrowth = table.Statistics().LoadBeforeGrowth;
        }

        Array.Sort(_least);
        Array.Sort(_leastCpu);
    }

    /// <summary>The table that is measured.</summary>
    public static TableSpec Spec(int dimension) => new()
    {
        Name = "bench",
        Segments = [new SegmentSpec { Dimension = dimension, Optimizer = new AdagradOptimizer() }],
    };

    private void Fill(EmbeddingTable table)
    {
        var ids = new ulong[Workload.Batch];
        var gradients = new float[Workload.Batch * dimension];
        int[] ones = [.. Enumerable.Repeat(1, Workload.Batch)];
        var times = new uint[Workload.Batch];
        for (var batch = 0; batch < _least.Length; batch++)
        {
            for (var i = 0; i < ids.Length; i++)
            {
                ids[i] = Workload.IdOf(((long)batch * Workload.Batch) + i);
            }

            var startCpu = ThreadClock.Now;
            var start = Stopwatch.GetTimestamp();
            table.Update(ids, gradients, ones, times);
            _least[batch] = Math.Min(_least[batch], Stopwatch.GetElapsedTime(start).TotalSeconds);
            _leastCpu[batch] = Math.Min(_leastCpu[batch], ThreadClock.Now - startCpu);
        }
    }
}
