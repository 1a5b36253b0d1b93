using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>Following another table.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Sets values, inserting rows where there are none. They are rounded to how this table keeps them.</summary>
    /// <param name="ids">Distinct ids.</param>
    /// <param name="values">ids × Dimension.</param>
    public void Assign(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> values)
    {
        Shapes.Check(values.Length, ids.Length, Dimension, nameof(values));
        fixed (float* allValues = values)
        {
            Assign(ids, (byte*)allValues, _floats);
        }
    }

    /// <summary>Sets what <see cref="LookupServed"/> read of another table: how a replica follows a shard.</summary>
    /// <param name="ids">Distinct ids.</param>
    /// <param name="rows">ids × bytes of a <see cref="Contracts.Specification.ServedRow"/>.</param>
    public void AssignServed(ReadOnlySpan<ulong> ids, ReadOnlySpan<byte> rows)
    {
        Shapes.Check(rows.Length, ids.Length, _layout.Served.Bytes, nameof(rows));
        fixed (byte* allRows = rows)
        {
            Assign(ids, allRows, _layout.Served);
        }
    }

    private void Assign(ReadOnlySpan<ulong> ids, byte* rows, RowCodec codec)
    {
        fixed (ulong* allIds = ids)
        {
            RunBlocks(allIds, ids.Length, _layout.ValueBytes, new Assigning(this, allIds, rows, codec));
        }

        EndUpdate(ids.Length);
    }

    private void Assign(ulong id, byte* values, RowCodec codec, in Probe probe)
    {
        var row = probe.Row;
        // It may have come since the pipeline looked.
        if (!probe.Found && !_index.TryFind(id, out row))
        {
            row = Insert(id);
        }
        else if (_snapshot is not null)
        {
            Capture(id, row);
        }

        _layout.Values.CopyFrom(codec, values, _rows.Address(row), _initial);
        if (_layout.Trains && (RowMarks.Touch(_rows.Side(row), 0, 0) & RowMarks.Drain) == 0)
        {
            NoteUpdated(id);
        }
    }

    private readonly struct Assigning(EmbeddingTable table, ulong* ids, byte* rows, RowCodec codec) : IBlockWork
    {
        public static bool Changes => true;

        public void Do(int from, int count, Probe* probes)
        {
            for (var i = 0; i < count; i++)
            {
                table.Assign(ids[from + i], rows + ((long)(from + i) * codec.Bytes), codec, probes[i]);
            }
        }
    }
}
