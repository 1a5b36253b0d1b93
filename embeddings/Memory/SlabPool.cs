using System.Runtime.InteropServices;

namespace Monolith.Embeddings.Memory;

/// <summary>
/// Slabs of 2 MiB for all tables of the process, each on one huge page where the system has them. The first touch of a
/// huge page costs up to milliseconds (the system clears it), so a thread of the pool touches a few slabs ahead of need while
/// tables grow, and gives them back when nothing has grown for a while.
/// </summary>
internal sealed unsafe class SlabPool
{
    /// <summary>Bytes a slab.</summary>
    public const int SlabBytes = 2 << 20;

    /// <summary>Slabs touched ahead of need, at most: 32 MiB a process.</summary>
    public const int MaxReady = 16;

    /// <summary>Slabs whose address space is asked for at once.</summary>
    public const int SlabsPerExtent = 64;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);
    private readonly object _lock = new();
    private readonly Stack<nint> _ready = new();
    private readonly Stack<nint> _bare = new();
    private bool _feeding;
    private int _bareLeft;
    private readonly Func<nint> _reserve;
    private byte* _extent;

    /// <summary>A pool.</summary>
    /// <param name="reserve">Gives address space of <see cref="SlabsPerExtent"/> slabs; null: the system's.</param>
    public SlabPool(Func<nint>? reserve = null) => _reserve = reserve ?? Reserve;

    /// <summary>The pool of the process.</summary>
    public static SlabPool Shared { get; } = new();

    /// <summary>A slab; its contents are undefined.</summary>
    /// <param name="young">True when little of it may ever be used: small pages, taken from the system as they are touched.</param>
    public byte* Rent(bool young)
    {
        if (!NativePages.CanReserve)
        {
            return (byte*)NativeMemory.AlignedAlloc(SlabBytes, SlabBytes);
        }

        lock (_lock)
        {
            if (young)
            {
                var small = (byte*)Bare();
                NativePages.PreferHuge(small, SlabBytes, huge: false);
                return small;
            }

            Feed();
            return (byte*)(_ready.TryPop(out var slab) ? slab : Bare());
        }
    }

    /// <summary>Takes a slab back.</summary>
    public void Return(byte* slab, bool young)
    {
        if (!NativePages.CanReserve)
        {
            NativeMemory.AlignedFree(slab);
            return;
        }

        NativePages.Release(slab, SlabBytes);
        if (young)
        {
            NativePages.PreferHuge(slab, SlabBytes, huge: true);
        }

        lock (_lock)
        {
            _bare.Push((nint)slab);
        }
    }

    /// <summary>Address space of a slab with no memory behind it.</summary>
    private nint Bare()
    {
        if (_bare.TryPop(out var slab))
        {
            return slab;
        }

        if (_bareLeft == 0)
        {
            _extent = (byte*)_reserve();
            NativePages.PreferHuge(_extent, (nuint)SlabsPerExtent * SlabBytes, huge: true);
            _bareLeft = SlabsPerExtent;
        }

        return (nint)(_extent + ((nint)(SlabsPerExtent - _bareLeft--) * SlabBytes));
    }

    private static nint Reserve() => (nint)NativePages.Reserve((nuint)SlabsPerExtent * SlabBytes, SlabBytes);

    private void Feed()
    {
        if (!_feeding)
        {
            try
            {
                new Thread(KeepReady) { IsBackground = true, Name = "embedding slabs" }.Start();
                _feeding = true;
            }
            catch (OutOfMemoryException)
            {
                // No thread to be had: whoever needs a slab touches it.
            }
        }

        Monitor.Pulse(_lock);
    }

    private void KeepReady()
    {
        while (TryNext(out var slab))
        {

            for (var at = 0; at < SlabBytes; at += 4096)
            {
                ((byte*)slab)[at] = 0;
            }

            lock (_lock)
            {
                _ready.Push(slab);
            }
        }
    }

    /// <summary>Waits until another slab is wanted; false: this thread is not wanted any more.</summary>
    private bool TryNext(out nint slab)
    {
        lock (_lock)
        {
            while (_ready.Count >= MaxReady)
            {
                if (!Monitor.Wait(_lock, Idle))
                {
                    return Stop(out slab);
                }
            }

            try
            {
                slab = Bare();
                return true;
            }
            catch (OutOfMemoryException)
            {
                // Whoever needs the slab asks again, and is told.
                return Stop(out slab);
            }
        }
    }

    /// <summary>What is ready goes back.</summary>
    private bool Stop(out nint slab)
    {
        _feeding = false;
        while (_ready.TryPop(out slab))
        {
            NativePages.Release((byte*)slab, SlabBytes);
            _bare.Push(slab);
        }

        return false;
    }
}
