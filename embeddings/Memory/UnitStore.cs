using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Monolith.Embeddings.Memory;

/// <summary>
/// Units of equal size in slabs: rows, or pages of the index. A slab is all units, then (for rows) some side bytes a unit,
/// so that neither breaks the other's alignment. Free units are chained through themselves; the lowest slab with room is
/// used first, so that the others run empty and go back to the pool.
/// </summary>
internal sealed unsafe class UnitStore : IDisposable
{
    private readonly SlabPool _pool;
    private readonly int _sideStart;
    private readonly Stack<int> _holes = new();
    private byte** _slabs;
    private byte** _origins;
    private Slab[] _info = new Slab[4];
    private ulong[] _room = new ulong[1];
    private int _count;
    private int _firstRoom;

    /// <summary>Creates an empty store.</summary>
    /// <param name="pool">Where slabs come from.</param>
    /// <param name="unitBytes">Bytes a unit, at least 4, at most a slab's.</param>
    /// <param name="sideBytes">Side bytes a unit.</param>
    public UnitStore(SlabPool pool, int unitBytes, int sideBytes)
    {
        _pool = pool;
        UnitBytes = unitBytes;
        SideBytes = sideBytes;
        UnitsPerSlab = SlabPool.SlabBytes / (unitBytes + sideBytes);
        Shift = BitOperations.Log2((uint)UnitsPerSlab - 1) + 1;
        Mask = (1u << Shift) - 1;
        _sideStart = UnitsPerSlab * unitBytes;
        _slabs = (byte**)NativeMemory.AllocZeroed((nuint)_info.Length, (nuint)sizeof(byte*));
        _origins = (byte**)NativeMemory.AllocZeroed((nuint)_info.Length, (nuint)sizeof(byte*));
    }

    /// <summary>Bytes a unit.</summary>
    public int UnitBytes { get; }

    /// <summary>Side bytes a unit.</summary>
    public int SideBytes { get; }

    /// <summary>Units a slab.</summary>
    public int UnitsPerSlab { get; }

    /// <summary>A unit's number is slab &lt;&lt; Shift | place.</summary>
    public int Shift { get; }

    /// <summary>Selects the place.</summary>
    public uint Mask { get; }

    /// <summary>Units in use.</summary>
    public long Live { get; private set; }

    /// <summary>Slabs with memory, the first included.</summary>
    public int Slabs => _count - _holes.Count;

    /// <summary>
    /// Memory held. The first slab lies on small pages that are touched as they are used, so it counts up to its
    /// high-water mark.
    /// </summary>
    public long Bytes
    {
        get
        {
            var bytes = (long)Slabs * SlabPool.SlabBytes;
            if (_count > 0 && _slabs[0] != null)
            {
                bytes -= (long)(UnitsPerSlab - _info[0].Fresh) * (UnitBytes + SideBytes);
            }

            return bytes + (_info.Length * (sizeof(Slab) + (2 * sizeof(byte*))));
        }
    }

    /// <summary>
    /// Where each slab's units would begin if their numbers began at 0, so that a unit is found without taking its number
    /// apart. For loops to keep in a register; void once a unit is taken or given.
    /// </summary>
    public byte** Origins => _origins;

    /// <summary>Address of a unit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Address(uint unit) => _origins[unit >> Shift] + ((nuint)unit * (nuint)UnitBytes);

    /// <summary>Address of a unit's side bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Side(uint unit) => _slabs[unit >> Shift] + _sideStart + ((nuint)(unit & Mask) * (nuint)SideBytes);

    /// <summary>Takes a unit; its contents are undefined.</summary>
    public uint Take()
    {
        var slab = LowestWithRoom();
        ref var info = ref _info[slab];
        int place;
        if (info.FreeHead >= 0)
        {
            place = info.FreeHead;
            info.FreeHead = *(int*)(_slabs[slab] + ((nuint)place * (nuint)UnitBytes));
        }
        else
        {
            place = info.Fresh++;
        }

        info.Live++;
        Live++;
        if (info.Live == UnitsPerSlab)
        {
            _room[slab >> 6] &= ~(1UL << (slab & 63));
        }

        return ((uint)slab << Shift) | (uint)place;
    }

    /// <summary>Gives a unit back; a slab without any goes back to the pool.</summary>
    public void Give(uint unit)
    {
        var slab = (int)(unit >> Shift);
        ref var info = ref _info[slab];
        *(int*)Address(unit) = info.FreeHead;
        info.FreeHead = (int)(unit & Mask);
        info.Live--;
        Live--;
        if (info.Live == 0)
        {
            _pool.Return(_slabs[slab], slab == 0);
            _slabs[slab] = null;
            _room[slab >> 6] &= ~(1UL << (slab & 63));
            _holes.Push(slab);
        }
        else
        {
            NoteRoom(slab);
        }
    }

    /// <summary>Gives everything back; addresses of units are void afterwards.</summary>
    public void Dispose()
    {
        if (_slabs == null)
        {
            return;
        }

        for (var slab = 0; slab < _count; slab++)
        {
            if (_slabs[slab] != null)
            {
                _pool.Return(_slabs[slab], slab == 0);
            }
        }

        NativeMemory.Free(_slabs);
        NativeMemory.Free(_origins);
        _slabs = null;
        _origins = null;
        _count = 0;
    }

    private int LowestWithRoom()
    {
        for (; _firstRoom < _room.Length; _firstRoom++)
        {
            if (_room[_firstRoom] != 0)
            {
                return (_firstRoom << 6) + BitOperations.TrailingZeroCount(_room[_firstRoom]);
            }
        }

        return AddSlab();
    }

    /// <summary>Whatever throws here throws before anything is noted.</summary>
    private int AddSlab()
    {
        var isNew = !_holes.TryPeek(out var slab);
        if (isNew)
        {
            slab = _count;
            if (slab > (int)(uint.MaxValue >> Shift) - 1)
            {
                throw new InsufficientMemoryException($"a table holds at most {(long)slab * UnitsPerSlab} rows of {UnitBytes} bytes");
            }

            if (slab == _info.Length)
            {
                _slabs = (byte**)NativeMemory.Realloc(_slabs, (nuint)slab * 2 * (nuint)sizeof(byte*));
                _origins = (byte**)NativeMemory.Realloc(_origins, (nuint)slab * 2 * (nuint)sizeof(byte*));
                Array.Resize(ref _room, ((slab * 2) + 63) / 64);
                Array.Resize(ref _info, slab * 2);
            }
        }

        _slabs[slab] = _pool.Rent(slab == 0);
        _origins[slab] = _slabs[slab] - (((nuint)slab << Shift) * (nuint)UnitBytes);
        _info[slab] = new Slab { FreeHead = -1 };
        if (isNew)
        {
            _count++;
        }
        else
        {
            _holes.Pop();
        }

        NoteRoom(slab);
        return slab;
    }

    private void NoteRoom(int slab)
    {
        _room[slab >> 6] |= 1UL << (slab & 63);
        _firstRoom = Math.Min(_firstRoom, slab >> 6);
    }

    private struct Slab
    {
        public int Live;
        public int Fresh;
        public int FreeHead;
    }
}
