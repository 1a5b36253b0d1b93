using System.Buffers;
using System.Runtime.InteropServices;

namespace Monolith.Contracts.Blocks;

/// <summary>
/// A pooled buffer of raw values that crosses grain boundaries: by reference inside a process, as one block copy between
/// processes (<c>BlockCodec</c>). Little-endian.
/// </summary>
/// <remarks>
/// Ownership: whoever built a request disposes its blocks once the call has succeeded; whoever received a reply disposes
/// the reply's. After a failed or timed-out call nobody does, since the other side may still be reading: the collector
/// takes the buffer then. A receiver never keeps a request's block beyond the call.
/// </remarks>
public sealed class Block : IDisposable
{
    private const int LargeBytes = 1 << 20;
    private const int LargeBytesMax = 256 << 20;
    private const int LargeKept = 16;

    // The shared pool keeps an array for each thread that gave one back: with large ones, memory would grow with the threads.
    private static readonly ArrayPool<byte> Large = ArrayPool<byte>.Create(LargeBytesMax, LargeKept);
    private byte[] _buffer;

    private Block(byte[] buffer, int length)
    {
        _buffer = buffer;
        Length = length;
    }

    /// <summary>A block of no bytes; disposing it does nothing.</summary>
    public static Block Empty { get; } = new([], 0);

    /// <summary>Length in bytes.</summary>
    public int Length { get; }

    /// <summary>The bytes.</summary>
    public Span<byte> Bytes => _buffer.AsSpan(0, Length);

    /// <summary>The bytes as memory, for streams.</summary>
    public Memory<byte> Memory => _buffer.AsMemory(0, Length);

    /// <summary>Rents a block with room for the given number of values; contents are undefined.</summary>
    public static Block Rent<T>(int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var bytes = checked(count * Marshal.SizeOf<T>());
        return bytes == 0 ? Empty : new Block(PoolOf(bytes).Rent(bytes), bytes);
    }

    /// <summary>Rents a block and copies the values into it.</summary>
    public static Block Of<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var block = Rent<T>(values.Length);
        values.CopyTo(block.As<T>());
        return block;
    }

    /// <summary>The bytes seen as values.</summary>
    public Span<T> As<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes);

    /// <summary>Gives the buffer back to the pool.</summary>
    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
        {
            PoolOf(Length).Return(buffer);
        }
    }

    private static ArrayPool<byte> PoolOf(int bytes) => bytes > LargeBytes ? Large : ArrayPool<byte>.Shared;
}
