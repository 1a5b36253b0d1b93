using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>Following another table.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Sets values, inserting rows where there are none: how a replica follows a shard.</summary>
    /// <param name="ids">Distinct ids.</param>
    /// <param name="values">ids × Dimension.</param>
    public void Assign(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> values)
    {
        Shapes.Check(values.Length, ids.Length, Dimension, nameof(values));
        fixed (ulong* allIds = ids)
        fixed (float* allValues = values)
        {
            RunBlocks(allIds, ids.Length, _layout.ValueBytes, new Assigning(this, allIds, allValues));
        }

        EndUpdate(ids.Length);
    }

    private void Assign(ulong id, float* values, in Probe probe)
    {
        var row = probe.Row;
        // It may have come since the pipeline looked.
        if (!probe.Found && !_index.TryFind(id, out row))
        {
            row = Insert(id);
        }
        else if (_snapshot is not null && _layout.Trains)
        {
            Capture(id, row);
        }

        ValueCodec.WriteNearest(_layout.Precision, values, _rows.Address(row), Dimension);
        if (_layout.Trains && (RowMarks.Touch(_rows.Side(row), 0, 0) & RowMarks.Drain) == 0)
        {
            NoteUpdated(id);
        }
    }

    private readonly struct Assigning(EmbeddingTable table, ulong* ids, float* values) : IBlockWork
    {
        public static bool Changes => true;

        public void Do(int from, int count, Probe* probes)
        {
            for (var i = 0; i < count; i++)
            {
                table.Assign(ids[from + i], values + ((long)(from + i) * table.Dimension), probes[i]);
            }
        }
    }
}
