using Monolith.Contracts.Specification;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>Reading.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Reads rows; an id without one reads the value its row would start from (or zeros, if the
    /// specification says so). Inserts nothing.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="values">ids × Dimension.</param>
    public void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        Shapes.Check(values.Length, ids.Length, Dimension, nameof(values));
        fixed (ulong* allIds = ids)
        fixed (float* allValues = values)
        {
            RunBlocks(allIds, ids.Length, _layout.ValueBytes, new Reading(this, allIds, allValues));
        }
    }

    /// <summary>Reads rows as they travel to replicas: each segment in its serving precision, rounded to the nearest.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="rows">ids × bytes of a <see cref="ServedRow"/>.</param>
    public void LookupServed(ReadOnlySpan<ulong> ids, Span<byte> rows)
    {
        Shapes.Check(rows.Length, ids.Length, _layout.Served.Bytes, nameof(rows));
        fixed (ulong* allIds = ids)
        fixed (byte* allRows = rows)
        {
            RunBlocks(allIds, ids.Length, _layout.ValueBytes, new ReadingServed(this, allIds, allRows));
        }
    }

    private readonly struct Reading(EmbeddingTable table, ulong* ids, float* values) : IBlockWork
    {
        public static bool Changes => false;

        public void Do(int from, int count, Probe* probes) =>
            table.Copy(ids + from, count, probes, values + ((long)from * table.Dimension));
    }

    private readonly struct ReadingServed(EmbeddingTable table, ulong* ids, byte* rows) : IBlockWork
    {
        public static bool Changes => false;

        public void Do(int from, int count, Probe* probes) =>
            table.CopyServed(ids + from, count, probes, rows + ((long)from * table._layout.Served.Bytes));
    }

    private void CopyServed(ulong* ids, int count, Probe* probes, byte* rows)
    {
        var served = _layout.Served;
        for (var i = 0; i < count; i++, rows += served.Bytes)
        {
            if (probes[i].Found)
            {
                served.CopyFrom(_layout.Values, probes[i].Address, rows, _initial);
            }
            else
            {
                Unseen(ids[i], new Span<float>(_initial, Dimension));
                served.Write(_initial, rows);
            }
        }
    }

    /// <summary>Last stage: the rows are here.</summary>
    private void Copy(ulong* ids, int count, Probe* probes, float* values)
    {
        var dimension = Dimension;
        var codec = _layout.Values;
        for (var i = 0; i < count; i++, values += dimension)
        {
            if (probes[i].Found)
            {
                if (codec.IsFloats)
                {
                    ValueCodec.Copy((float*)probes[i].Address, values, dimension);
                }
                else
                {
                    codec.Read(probes[i].Address, values);
                }
            }
            else
            {
                Unseen(ids[i], new Span<float>(values, dimension));
            }
        }
    }

    private void Unseen(ulong id, Span<float> values)
    {
        if (Spec.Unseen == UnseenValue.Zeros)
        {
            values.Clear();
        }
        else
        {
            _initializer.Write(id, values);
            if (_layout.Precision != RowPrecision.Float32)
            {
                ValueCodec.Round(_layout.Precision, values);
            }

            if (!_layout.Trains)
            {
                _layout.Served.Round(values);
            }
        }
    }
}
