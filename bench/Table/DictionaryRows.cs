using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Monolith.Embeddings.Memory;

namespace Monolith.Bench.Table;

/// <summary>What one would write in an afternoon: a <see cref="Dictionary{TKey,TValue}"/> from id to a row in native memory.</summary>
public sealed unsafe class DictionaryRows(Workload workload) : Contender
{
    private readonly Dictionary<ulong, int> _index = new((int)workload.Rows);
    private readonly int _dimension = workload.Dimension;
    private readonly float* _rows = HugeMemory.Floats(workload.Rows * workload.Dimension * 2);
    private readonly float[] _step = new float[workload.Dimension];

    public override string Name => "dictionary";

    public override void Fill(Workload workload)
    {
        for (var row = 0L; row < workload.Rows; row++)
        {
            _index[Workload.IdOf(row)] = (int)row;
            var values = _rows + (row * 2 * _dimension);
            new Span<float>(values, _dimension).Clear();
            new Span<float>(values + _dimension, _dimension).Fill(0.1f);
        }
    }

    public override void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            var into = values.Slice(i * _dimension, _dimension);
            if (_index.TryGetValue(ids[i], out var row))
            {
                new ReadOnlySpan<float>(_rows + ((long)row * 2 * _dimension), _dimension).CopyTo(into);
            }
            else
            {
                into.Clear();
            }
        }
    }

    public override void Update(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> gradients)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            if (_index.TryGetValue(ids[i], out var row))
            {
                var values = new Span<float>(_rows + ((long)row * 2 * _dimension), _dimension);
                var state = new Span<float>(_rows + ((long)row * 2 * _dimension) + _dimension, _dimension);
                Adagrad.Step(values, state, gradients.Slice(i * _dimension, _dimension), _step);
            }
        }
    }

    public override void Dispose()
    {
        HugeMemory.Free(_rows, workload.Rows * _dimension * 2);
        base.Dispose();
    }
}

/// <summary>The same step for every baseline, vectorized by the platform.</summary>
internal static class Adagrad
{
    public static void Step(Span<float> values, Span<float> state, ReadOnlySpan<float> gradient, Span<float> step)
    {
        TensorPrimitives.MultiplyAdd(gradient, gradient, state, state);
        TensorPrimitives.Sqrt(state, step);
        TensorPrimitives.Divide(gradient, step, step);
        TensorPrimitives.MultiplyAdd(step, -0.05f, values, values);
    }
}

/// <summary>Large arrays on huge pages, the same for every baseline.</summary>
internal static unsafe class HugeMemory
{
    public static float* Floats(long count) => (float*)Bytes(count * sizeof(float));

    public static byte* Bytes(long count)
    {
        if (!NativePages.CanReserve)
        {
            return (byte*)NativeMemory.AlignedAlloc((nuint)count, SlabPool.SlabBytes);
        }

        var start = NativePages.Reserve((nuint)count, SlabPool.SlabBytes);
        NativePages.PreferHuge(start, (nuint)count, huge: true);
        return start;
    }

    public static void Free(float* start, long count)
    {
        if (NativePages.CanReserve)
        {
            NativePages.Release((byte*)start, (nuint)(count * sizeof(float)));
        }
        else
        {
            NativeMemory.AlignedFree(start);
        }
    }
}
