using System.Buffers.Binary;
using System.Diagnostics;
using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Snapshots;

/// <summary>
/// Takes blocks to a stream: at once, or on a thread of its own, so that neither the checksum nor the disk holds the table up.
/// Buffers are halves of slabs: large arrays would have the collector run while the table is updated, and small pages would
/// cost a fault for every 4 KiB of pre-images.
/// </summary>
/// <remarks>
/// A stream that fails, or that is slower than the bounds allow, voids the snapshot and not the update that met it: from then
/// on blocks are dropped, and <see cref="ThrowIfFailed"/> says why.
/// </remarks>
internal sealed unsafe class BlockSink : IDisposable
{
    private readonly Stream _stream;
    private readonly object _lock = new();
    private readonly Queue<(nint Buffer, int Length, BlockKind Kind)> _full = new();
    private readonly Stack<nint> _free = new();
    private readonly List<nint> _slabs = [];
    private readonly Thread? _thread;
    private readonly int _most;
    private readonly TimeSpan _longestWait;
    private Exception? _failure;
    private int _number;
    private bool _ended;

    /// <summary>Starts with the magic and the version.</summary>
    /// <param name="stream">Where blocks go.</param>
    /// <param name="options">Bounds of blocks under way; null: written by the caller's thread.</param>
    public BlockSink(Stream stream, SnapshotOptions? options)
    {
        _stream = stream;
        Span<byte> start = stackalloc byte[SnapshotFormat.StartBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(start, SnapshotFormat.Magic);
        BinaryPrimitives.WriteInt32LittleEndian(start[8..], SnapshotFormat.Version);
        stream.Write(start);
        _most = options is null ? 4 : (int)Math.Clamp(options.ArenaBytes / SnapshotFormat.BlockBytes, 8, 1 << 20);
        _longestWait = options?.LongestWait ?? default;

        // One buffer is filled, one may be with the stream: with two more there is always one to drop and use again.
        AddSlab();
        AddSlab();
        if (options is not null)
        {
            _thread = new Thread(Write) { IsBackground = true, Name = "embedding snapshot" };
            _thread.Start();
        }
    }

    /// <summary>Share of the arena in use.</summary>
    public double Used
    {
        get
        {
            lock (_lock)
            {
                return UsedNow;
            }
        }
    }

    /// <summary>Times that a caller had to wait for the stream.</summary>
    public int Waits { get; private set; }

    private double UsedNow => (double)(Buffers - _free.Count) / _most;

    private int Buffers => 2 * _slabs.Count;

    /// <summary>A buffer of a block's size; waits for the stream when the arena is used up.</summary>
    public byte* Rent()
    {
        lock (_lock)
        {
            if (_free.Count == 0 && Buffers < _most && _failure is null)
            {
                Grow();
            }

            if (_free.Count == 0 && _failure is null)
            {
                Waits++;
                WaitForBuffer();
            }

            return (byte*)(_free.TryPop(out var buffer) ? buffer : _full.Dequeue().Buffer);
        }
    }

    /// <summary>Waits until no more than a share of the arena is in use.</summary>
    public void WaitBelow(double share)
    {
        lock (_lock)
        {
            while (_failure is null && UsedNow > share)
            {
                Monitor.Wait(_lock);
            }
        }

        ThrowIfFailed();
    }

    /// <summary>Hands a filled buffer over; payload begins behind the frame.</summary>
    public void Submit(byte* buffer, int payload, BlockKind kind)
    {
        if (_thread is null)
        {
            WriteBlock(buffer, payload, kind);
            _free.Push((nint)buffer);
            return;
        }

        lock (_lock)
        {
            if (_failure is null)
            {
                _full.Enqueue(((nint)buffer, payload, kind));
            }
            else
            {
                _free.Push((nint)buffer);
            }

            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until everything is written.</summary>
    public void Finish()
    {
        End();
        ThrowIfFailed();
    }

    /// <summary>Says so if the snapshot is void.</summary>
    /// <exception cref="IOException">It is; the message says why.</exception>
    public void ThrowIfFailed()
    {
        lock (_lock)
        {
            if (_failure is not null)
            {
                throw new IOException("the snapshot could not be written: " + _failure.Message, _failure);
            }
        }
    }

    /// <summary>Drops what is not written, and waits for the block that the stream is at.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            Drop();
        }

        End();
        foreach (var slab in _slabs)
        {
            SlabPool.Shared.Return((byte*)slab, young: false);
        }

        _slabs.Clear();
        _free.Clear();
    }

    private void AddSlab()
    {
        var slab = SlabPool.Shared.Rent(young: false);
        _slabs.Add((nint)slab);
        _free.Push((nint)(slab + SnapshotFormat.FrameBytes + SnapshotFormat.BlockBytes));
        _free.Push((nint)slab);
    }

    private void Grow()
    {
        try
        {
            AddSlab();
        }
        catch (OutOfMemoryException none)
        {
            _failure = none;
        }
    }

    private void WaitForBuffer()
    {
        var start = Stopwatch.GetTimestamp();
        while (_free.Count == 0 && _failure is null)
        {
            var left = _longestWait - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero || !Monitor.Wait(_lock, left))
            {
                _failure = new TimeoutException($"the arena was used up, and the stream took no block for {_longestWait.TotalSeconds:0.###} s");
            }
        }
    }

    private void Drop()
    {
        while (_full.TryDequeue(out var block))
        {
            _free.Push(block.Buffer);
        }
    }

    private void End()
    {
        lock (_lock)
        {
            _ended = true;
            Monitor.PulseAll(_lock);
        }

        _thread?.Join();
    }

    private void Write()
    {
        while (true)
        {
            (nint Buffer, int Length, BlockKind Kind) block;
            lock (_lock)
            {
                while (_full.Count == 0 && !_ended)
                {
                    Monitor.Wait(_lock);
                }

                if (!_full.TryDequeue(out block))
                {
                    return;
                }
            }

            Exception? failure = null;
            try
            {
                WriteBlock((byte*)block.Buffer, block.Length, block.Kind);
            }
#pragma warning disable CA1031 // Whatever the stream throws is kept and thrown again by the table's own thread.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                failure = thrown;
            }

            lock (_lock)
            {
                _free.Push(block.Buffer);
                _failure ??= failure;
                if (_failure is not null)
                {
                    Drop();
                }

                Monitor.PulseAll(_lock);
            }
        }
    }

    private void WriteBlock(byte* buffer, int payload, BlockKind kind)
    {
        var block = new Span<byte>(buffer, SnapshotFormat.FrameBytes + payload);
        BinaryPrimitives.WriteInt32LittleEndian(block, (int)kind);
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], payload);
        BinaryPrimitives.WriteUInt64LittleEndian(
            block[8..], SnapshotFormat.Checksum(block[SnapshotFormat.FrameBytes..], kind, _number++));
        _stream.Write(block);
    }
}
