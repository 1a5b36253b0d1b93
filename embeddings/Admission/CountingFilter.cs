using Monolith.Embeddings.Initialization;

namespace Monolith.Embeddings.Admission;

/// <summary>
/// Counts occurrences of ids that have no row yet, in bounded memory. A cell is a 12-bit signature and a 4-bit count; two
/// ids with one signature in one neighbourhood share a count (admitted early, hardly ever late). Cells lie in <see cref="Windows"/>
/// arrays: an id enters the newest, with its count in an older one if it has one there, and when the newest is full the oldest
/// is cleared and takes its place, so that counts of ids long unseen fade.
/// </summary>
internal sealed class CountingFilter
{
    /// <summary>Windows that slide.</summary>
    public const int Windows = 7;

    /// <summary>The largest count a cell holds.</summary>
    public const int MaxCount = 15;

    private const int Probes = 16;
    private readonly ushort[] _cells;
    private readonly int _mask;
    private readonly int _capacity;
    private int _newest;
    private int _used;

    /// <summary>Creates an empty filter.</summary>
    /// <param name="cellsPerWindow">A power of two, at least 1,024; two bytes each, times <see cref="Windows"/>.</param>
    public CountingFilter(int cellsPerWindow)
    {
        _cells = new ushort[cellsPerWindow * Windows];
        _mask = cellsPerWindow - 1;
        _capacity = cellsPerWindow / 2;
    }

    /// <summary>Cells a window needs for so many ids in all windows together: half of them stay empty.</summary>
    public static int CellsFor(int remembered) =>
        (int)Math.Max(1024, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(remembered / Windows) * 2));

    /// <summary>Memory held.</summary>
    public long Bytes => _cells.LongLength * sizeof(ushort);

    /// <summary>Whether nothing was counted.</summary>
    public bool IsEmpty => !_cells.AsSpan().ContainsAnyExcept((ushort)0);

    /// <summary>All cells, and where the newest window is: what a snapshot saves.</summary>
    public (ushort[] Cells, int Newest, int Used) State => (_cells, _newest, _used);

    /// <summary>Puts a piece of saved state back.</summary>
    public void RestorePiece(int newest, int used, int from, ReadOnlySpan<ushort> cells)
    {
        cells.CopyTo(_cells.AsSpan(from));
        (_newest, _used) = (newest, used);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_cells);
        (_newest, _used) = (0, 0);
    }

    /// <summary>
    /// Merges in a piece of another filter of the same size: when shards are merged. A cell moves to the window of its age;
    /// where a neighbourhood is crowded, some counts fade.
    /// </summary>
    public void MergePiece(int newest, int from, ReadOnlySpan<ushort> cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            if (cells[i] == 0)
            {
                continue;
            }

            var age = (newest + Windows - ((from + i) / (_mask + 1))) % Windows;
            var signature = (ushort)(cells[i] & 0xfff0);
            var mine = Find((_newest + Windows - age) % Windows, (ulong)((from + i) & _mask), signature, out var free);
            if (mine >= 0)
            {
                _cells[mine] = (ushort)(signature | Math.Max(cells[i] & 0xf, _cells[mine] & 0xf));
            }
            else if (free >= 0)
            {
                _cells[free] = cells[i];
                _used += age == 0 ? 1 : 0;
            }
        }
    }

    /// <summary>Counts occurrences of an id.</summary>
    /// <returns>The count before, at most <see cref="MaxCount"/>.</returns>
    public int Add(ulong id, int occurrences)
    {
        var hash = Mixer.Mix(id ^ 0x5bd1e995c2b2ae35UL);
        var signature = Signature(hash);
        var at = Find(_newest, hash, signature, out var free);
        if (at >= 0)
        {
            var old = _cells[at] & 0xf;
            _cells[at] = (ushort)(signature | Math.Min(MaxCount, old + occurrences));
            return old;
        }

        var before = Count(hash, signature, youngest: 1);
        if (_used >= _capacity || free < 0)
        {
            Slide();
            Find(_newest, hash, signature, out free);
        }

        _cells[free] = (ushort)(signature | Math.Min(MaxCount, before + occurrences));
        _used++;
        return before;
    }

    /// <summary>The count of an id; changes nothing.</summary>
    public int Count(ulong id)
    {
        var hash = Mixer.Mix(id ^ 0x5bd1e995c2b2ae35UL);
        return Count(hash, Signature(hash), youngest: 0);
    }

    /// <summary>Never 0: an empty cell is 0.</summary>
    private static ushort Signature(ulong hash) => (ushort)Math.Max(0x10, (hash >> 48) & 0xfff0);

    /// <summary>The count in the newest window that has one, of those from an age on.</summary>
    private int Count(ulong hash, ushort signature, int youngest)
    {
        for (var age = youngest; age < Windows; age++)
        {
            var at = Find((_newest + Windows - age) % Windows, hash, signature, out _);
            if (at >= 0)
            {
                return _cells[at] & 0xf;
            }
        }

        return 0;
    }

    private int Find(int window, ulong hash, ushort signature, out int free)
    {
        var start = window * (_mask + 1);
        free = -1;
        for (var probe = 0; probe < Probes; probe++)
        {
            var at = start + (int)((hash + (ulong)probe) & (ulong)_mask);
            var cell = _cells[at];
            if (cell == 0)
            {
                free = at;
                return -1;
            }

            if ((cell & 0xfff0) == signature)
            {
                return at;
            }
        }

        return -1;
    }

    private void Slide()
    {
        _newest = (_newest + 1) % Windows;
        Array.Clear(_cells, _newest * (_mask + 1), _mask + 1);
        _used = 0;
    }
}
