using System.Runtime.CompilerServices;
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
    [SkipLocalsInit]
    public void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        Shapes.Check(values.Length, ids.Length, Dimension, nameof(values));
        var probes = stackalloc Probe[Stages * Block];
        var onward = stackalloc byte[Stages * Block];
        var going = stackalloc int[Stages];
        var ask = new RowParts(_layout.ValueBytes, Side: false);
        fixed (ulong* allIds = ids)
        fixed (float* allValues = values)
        {
            var blocks = (ids.Length + Block - 1) / Block;
            for (var step = 0; step < blocks + Stages - 1; step++)
            {
                if (step < blocks)
                {
                    _index.Start(allIds + (step * Block), Length(step, ids.Length), probes + (step % Stages * Block));
                }

                if (step >= 1 && step - 1 < blocks)
                {
                    var (at, stage) = (step - 1, (step - 1) % Stages);
                    going[stage] = _index.LookFirst(
                        allIds + (at * Block), Length(at, ids.Length), probes + (stage * Block), _rows, ask, onward + (stage * Block));
                }

                if (step >= 2 && step - 2 < blocks)
                {
                    var (at, stage) = (step - 2, (step - 2) % Stages);
                    CuckooIndex.LookSecond(allIds + (at * Block), probes + (stage * Block), _rows, ask, onward + (stage * Block), going[stage]);
                }

                if (step >= 3)
                {
                    var at = step - 3;
                    Copy(
                        allIds + (at * Block), Length(at, ids.Length), probes + (at % Stages * Block),
                        allValues + ((long)at * Block * Dimension));
                }
            }
        }
    }

    private static int Length(int block, int ids) => Math.Min(Block, ids - (block * Block));

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
