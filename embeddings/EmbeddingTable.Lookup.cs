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

    private readonly struct Reading(EmbeddingTable table, ulong* ids, float* values) : IBlockWork
    {
        public static bool Changes => false;

        public void Do(int from, int count, Probe* probes) =>
            table.Copy(ids + from, count, probes, values + ((long)from * table.Dimension));
    }

    /// <summary>Last stage: the rows are here.</summary>
    private void Copy(ulong* ids, int count, Probe* probes, float* values)
    {
        var dimension = Dimension;
        var precision = _layout.Precision;
        for (var i = 0; i < count; i++, values += dimension)
        {
            if (probes[i].Found)
            {
                if (precision == RowPrecision.Float32)
                {
                    ValueCodec.Copy((float*)probes[i].Address, values, dimension);
                }
                else
                {
                    ValueCodec.Read(precision, probes[i].Address, values, dimension);
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
        }
    }
}
