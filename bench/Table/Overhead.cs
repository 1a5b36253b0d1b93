using System.Text.Json.Nodes;
using Monolith.Embeddings;

namespace Monolith.Bench.Table;

/// <summary>Bytes a row beyond its values and state as a table grows.</summary>
internal static class Overhead
{
    public static JsonObject ByRows(ReadOnlySpan<long> sizes)
    {
        const int Dimension = 16;
        var result = new JsonObject();
        using var table = Ours.Create(Dimension);
        var ids = new ulong[Workload.Batch];
        var gradients = new float[Workload.Batch * Dimension];
        int[] ones = [.. Enumerable.Repeat(1, Workload.Batch)];
        var times = new uint[Workload.Batch];
        var rows = 0L;
        foreach (var size in sizes)
        {
            while (rows < size)
            {
                var count = (int)Math.Min(Workload.Batch, size - rows);
                for (var i = 0; i < count; i++)
                {
                    ids[i] = Workload.IdOf(rows + i);
                }

                table.Update(ids.AsSpan(0, count), gradients.AsSpan(0, count * Dimension), ones.AsSpan(0, count), times.AsSpan(0, count));
                rows += count;
            }

            // At rest: replicas have been told of the changes.
            table.DrainChanges(new ChangeSet());
            result[$"{size}"] = Math.Round(table.Statistics().OverheadPerRow, 2);
        }

        return result;
    }
}
