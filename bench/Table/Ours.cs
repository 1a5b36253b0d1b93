using Monolith.Contracts.Specification;
using Monolith.Embeddings;

namespace Monolith.Bench.Table;

/// <summary>The table of this project.</summary>
public sealed class Ours(int dimension) : Contender
{
    private readonly int[] _ones = [.. Enumerable.Repeat(1, Workload.Batch)];
    private readonly uint[] _times = [.. Enumerable.Repeat(1_700_000_000u, Workload.Batch)];

    public override string Name => "ours";

    public EmbeddingTable Table { get; } = Create(dimension);

    public static EmbeddingTable Create(int dimension) => new(
        new TableSpec
        {
            Name = "bench",
            Segments = [new SegmentSpec { Dimension = dimension, Optimizer = new AdagradOptimizer() }],
        },
        seed: 1);

    public override void Fill(Workload workload)
    {
        var ids = new ulong[Workload.Batch];
        var gradients = new float[Workload.Batch * dimension];
        for (var from = 0L; from < workload.Rows; from += ids.Length)
        {
            var count = (int)Math.Min(ids.Length, workload.Rows - from);
            for (var i = 0; i < count; i++)
            {
                ids[i] = Workload.IdOf(from + i);
            }

            Update(ids.AsSpan(0, count), gradients.AsSpan(0, count * dimension));
        }
    }

    public override void Lookup(ReadOnlySpan<ulong> ids, Span<float> values) => Table.Lookup(ids, values);

    public override void Update(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> gradients) =>
        Table.Update(ids, gradients, _ones.AsSpan(0, ids.Length), _times.AsSpan(0, ids.Length));

    public override void Dispose()
    {
        Table.Dispose();
        base.Dispose();
    }
}
