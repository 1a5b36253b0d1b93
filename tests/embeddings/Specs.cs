using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests;

/// <summary>Short ways to write table specifications.</summary>
internal static class Specs
{
    public static SegmentSpec Segment(int dimension, SparseOptimizerSpec optimizer, InitializerSpec? initializer = null) => new()
    {
        Dimension = dimension,
        Optimizer = optimizer,
        Initializer = initializer ?? new ZerosInitializer(),
    };

    public static TableSpec Table(params SegmentSpec[] segments) => new() { Name = "test", Segments = [.. segments] };

    public static float[] Read(this EmbeddingTable table, params ulong[] ids)
    {
        var values = new float[ids.Length * table.Dimension];
        table.Lookup(ids, values);
        return values;
    }

    public static void Push(this EmbeddingTable table, ulong id, float[] gradient, int occurrences = 1, uint seconds = 1000) =>
        table.Update([id], gradient, [occurrences], [seconds]);
}
