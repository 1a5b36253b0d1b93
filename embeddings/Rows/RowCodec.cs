using System.Runtime.CompilerServices;
using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Rows;

/// <summary>A row's values in bytes: runs of values of one precision, each value rounded to the nearest, no padding.</summary>
internal sealed unsafe class RowCodec
{
    private readonly RowRun[] _runs;

    public RowCodec(params ReadOnlySpan<RowRun> runs)
    {
        _runs = runs.ToArray();
        Bytes = _runs.Sum(r => r.Bytes);
        IsFloats = Array.TrueForAll(_runs, r => r.Precision == RowPrecision.Float32);
    }

    /// <summary>Bytes a row.</summary>
    public int Bytes { get; }

    /// <summary>Whether the bytes are the values.</summary>
    public bool IsFloats { get; }

    /// <summary>Reads a row.</summary>
    public void Read(byte* from, float* to)
    {
        foreach (var run in _runs)
        {
            ValueCodec.Read(run.Precision, from, to, run.Dimension);
            from += run.Bytes;
            to += run.Dimension;
        }
    }

    /// <summary>Writes a row.</summary>
    public void Write(float* from, byte* to)
    {
        foreach (var run in _runs)
        {
            ValueCodec.WriteNearest(run.Precision, from, to, run.Dimension);
            from += run.Dimension;
            to += run.Bytes;
        }
    }

    /// <summary>Rounds a row to what would be read after a writing.</summary>
    public void Round(Span<float> values)
    {
        foreach (var run in _runs)
        {
            if (run.Precision != RowPrecision.Float32)
            {
                ValueCodec.Round(run.Precision, values[..run.Dimension]);
            }

            values = values[run.Dimension..];
        }
    }

    /// <summary>Copies a row from one encoding to another.</summary>
    /// <param name="from">Its encoding.</param>
    /// <param name="row">The row.</param>
    /// <param name="target">Written in this encoding.</param>
    /// <param name="values">Room for the row's values.</param>
    public void CopyFrom(RowCodec from, byte* row, byte* target, float* values)
    {
        if (from._runs.AsSpan().SequenceEqual(_runs))
        {
            Unsafe.CopyBlockUnaligned(target, row, (uint)Bytes);
        }
        else
        {
            from.Read(row, values);
            Write(values, target);
        }
    }
}
