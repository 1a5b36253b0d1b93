using System.Buffers.Binary;
using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Snapshots;

/// <summary>
/// Takes blocks to a stream: at once, or on a thread of its own, so that neither the checksum nor the disk holds the table up.
/// Buffers are halves of slabs: large arrays would have the collector run while the table is updated, and small pages would
/// cost a fault for every 4 KiB of pre-images.
/// </summary>
internal sealed unsafe class BlockSink : IDisposable
{
    private readonly Stream _stream;
    private readonly object _lock = new();
    private readonly Queue<(nint Buffer, int Length, BlockKind Kind)> _full = new();
    private readonly Stack<nint> _free = new();
    private readonly List<nint> _slabs = [];
    private readonly Thread? _thread;
    private readonly int _most;
    private Exception? _failure;
    private int _buffers;
    private int _number;
    private bool _ended;

    /// <summary>Starts with the magic and the version.</summary>
    /// <param name="stream">Where blocks go.</param>
    /// <param name="arenaBytes">Memory for blocks under way; null: written by the caller's thread.</param>
    public BlockSink(Stream stream, long? arenaBytes)
    {
        _stream = stream;
        Span<byte> start = stackalloc byte[SnapshotFormat.StartBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(start, SnapshotFormat.Magic);
        BinaryPrimitives.WriteInt32LittleEndian(start[8..], SnapshotFormat.Version);
        stream.Write(start);
        _most = arenaBytes is { } bytes ? (int)Math.Max(8, bytes / SnapshotFormat.BlockBytes) : 4;
        if (arenaBytes is not null)
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
                return (double)(_buffers - _free.Count) / _most;
            }
        }
    }

    /// <summary>Times that a caller had to wait for the stream.</summary>
    public int Waits { get; private set; }

    /// <summary>A buffer of a block's size; waits for the stream when the arena is used up.</summary>
    public byte* Rent()
    {
        lock (_lock)
        {
            while (true)
            {
                if (_failure is not null)
                {
                    throw new IOException("the snapshot could not be written: " + _failure.Message, _failure);
                }

                if (_free.TryPop(out var buffer))
                {
                    return (byte*)buffer;
                }

                if (_buffers < _most)
                {
                    var slab = SlabPool.Shared.Rent(young: false);
                    _slabs.Add((nint)slab);
                    _free.Push((nint)(slab + SnapshotFormat.FrameBytes + SnapshotFormat.BlockBytes));
                    _buffers += 2;
                    return slab;
                }

                Waits++;
                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>Waits until no more than a share of the arena is in use.</summary>
    public void WaitBelow(double share)
    {
        lock (_lock)
        {
            while (_failure is null && (double)(_buffers - _free.Count) / _most > share)
            {
                Monitor.Wait(_lock);
            }

            if (_failure is not null)
            {
                throw new IOException("the snapshot could not be written: " + _failure.Message, _failure);
            }
        }
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
            _full.Enqueue(((nint)buffer, payload, kind));
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until everything is written.</summary>
    public void Finish()
    {
        Stop();
        if (_failure is not null)
        {
            throw new IOException("the snapshot could not be written: " + _failure.Message, _failure);
        }
    }

    public void Dispose()
    {
        Stop();
        Free();
    }

    private void Stop()
    {
        lock (_lock)
        {
            _ended = true;
            Monitor.PulseAll(_lock);
        }

        _thread?.Join();
    }

    private void Free()
    {
        foreach (var slab in _slabs)
        {
            SlabPool.Shared.Return((byte*)slab, young: false);
        }

        _slabs.Clear();
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

            try
            {
                if (_failure is null)
                {
                    WriteBlock((byte*)block.Buffer, block.Length, block.Kind);
                }
            }
#pragma warning disable CA1031 // Whatever the stream throws is kept and thrown again by the table's own thread.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                _failure = failure;
            }

            lock (_lock)
            {
                _free.Push(block.Buffer);
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
