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

    private const int SlabsPerExtent = 64;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);
    private readonly object _lock = new();
    private readonly Stack<nint> _ready = new();
    private readonly Stack<nint> _bare = new();
    private bool _feeding;
    private int _bareLeft;
    private byte* _extent;
    private long _held;

    /// <summary>The pool of the process.</summary>
    public static SlabPool Shared { get; } = new();

    /// <summary>Bytes of the slabs that tables hold.</summary>
    public long HeldBytes => Interlocked.Read(ref _held);

    /// <summary>Bytes of the slabs kept ready.</summary>
    public long ReadyBytes
    {
        get
        {
            lock (_lock)
            {
                return (long)_ready.Count * SlabBytes;
            }
        }
    }

    /// <summary>A slab; its contents are undefined.</summary>
    /// <param name="young">True when little of it may ever be used: small pages, taken from the system as they are touched.</param>
    public byte* Rent(bool young)
    {
        Interlocked.Add(ref _held, SlabBytes);
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
        Interlocked.Add(ref _held, -SlabBytes);
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
            _extent = NativePages.Reserve((nuint)SlabsPerExtent * SlabBytes, SlabBytes);
            NativePages.PreferHuge(_extent, (nuint)SlabsPerExtent * SlabBytes, huge: true);
            _bareLeft = SlabsPerExtent;
        }

        return (nint)(_extent + ((nint)(SlabsPerExtent - _bareLeft--) * SlabBytes));
    }

    private void Feed()
    {
        if (!_feeding)
        {
            _feeding = true;
            new Thread(KeepReady) { IsBackground = true, Name = "embedding slabs" }.Start();
        }

        Monitor.Pulse(_lock);
    }

    private void KeepReady()
    {
        while (true)
        {
            nint slab;
            lock (_lock)
            {
                if (_ready.Count >= MaxReady && !Monitor.Wait(_lock, Idle))
                {
                    // Nothing grew for a while: what is ready goes back, and so does this thread.
                    _feeding = false;
                    while (_ready.TryPop(out slab))
                    {
                        NativePages.Release((byte*)slab, SlabBytes);
                        _bare.Push(slab);
                    }

                    return;
                }

                if (_ready.Count >= MaxReady)
                {
                    continue;
                }

                slab = Bare();
            }

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
}
