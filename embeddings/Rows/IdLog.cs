namespace Monolith.Embeddings.Rows;

/// <summary>A list of ids in small pieces that are kept for reuse: it grows without copying.</summary>
internal sealed class IdLog
{
    private const int PieceShift = 12;
    private const int PieceSize = 1 << PieceShift;
    private readonly List<ulong[]> _pieces = [];

    /// <summary>Ids.</summary>
    public int Count { get; private set; }

    /// <summary>Memory held.</summary>
    public long Bytes => (long)_pieces.Count * PieceSize * sizeof(ulong);

    /// <summary>An id.</summary>
    public ulong this[int at] => _pieces[at >> PieceShift][at & (PieceSize - 1)];

    /// <summary>All ids.</summary>
    public ulong[] ToArray()
    {
        var all = new ulong[Count];
        for (var at = 0; at < Count; at += PieceSize)
        {
            _pieces[at >> PieceShift].AsSpan(0, Math.Min(PieceSize, Count - at)).CopyTo(all.AsSpan(at));
        }

        return all;
    }

    /// <summary>Adds an id.</summary>
    public void Add(ulong id)
    {
        if (Count == _pieces.Count << PieceShift)
        {
            _pieces.Add(new ulong[PieceSize]);
        }

        _pieces[Count >> PieceShift][Count & (PieceSize - 1)] = id;
        Count++;
    }

    /// <summary>Empties the list; keeps as much memory as the last fill needed.</summary>
    public void Clear()
    {
        var needed = (Count + PieceSize - 1) >> PieceShift;
        _pieces.RemoveRange(needed, _pieces.Count - needed);
        Count = 0;
    }
}
