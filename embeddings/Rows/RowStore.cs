using System.Runtime.InteropServices;

namespace Monolith.Embeddings.Rows;

/// <summary>Rows outside the managed heap, in slabs, with a free list.</summary>
internal sealed unsafe class RowStore(int floats) : IDisposable
{
    private const int RowsPerSlab = 4096;
    private readonly List<nint> _slabs = [];
    private readonly Stack<int> _free = new();
    private int _next;

    /// <summary>Memory held.</summary>
    public long Bytes => (long)_slabs.Count * RowsPerSlab * floats * sizeof(float);

    /// <summary>Address of a row.</summary>
    public float* this[int row] => (float*)_slabs[row / RowsPerSlab] + ((long)(row % RowsPerSlab) * floats);

    /// <summary>Takes a row; its contents are undefined.</summary>
    public int Take()
    {
        if (_free.TryPop(out var row))
        {
            return row;
        }

        if (_next == _slabs.Count * RowsPerSlab)
        {
            _slabs.Add((nint)NativeMemory.AlignedAlloc((nuint)RowsPerSlab * (nuint)floats * sizeof(float), 64));
        }

        return _next++;
    }

    /// <summary>Gives a row back.</summary>
    public void Give(int row) => _free.Push(row);

    public void Dispose()
    {
        foreach (var slab in _slabs)
        {
            NativeMemory.AlignedFree((void*)slab);
        }

        _slabs.Clear();
    }
}
