using System.Buffers;
using System.Numerics;
using Microsoft.AspNetCore.Http;

namespace Monolith.Http;

/// <summary>
/// A request's body, or why it was refused. It holds memory and perhaps one of the turns of heavy requests until it is
/// disposed, so dispose it as soon as the bytes have been worked on.
/// </summary>
public sealed class RequestBody : IDisposable
{
    private readonly RequestBodies _owner;
    private byte[] _buffer = [];
    private int _length;
    private bool _hasTurn;

    internal RequestBody(RequestBodies owner) => _owner = owner;

    /// <summary>The answer to a request whose body was refused; null when there are <see cref="Bytes"/>.</summary>
    public IResult? Refusal { get; internal set; }

    /// <summary>The whole body; not to be used after <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Bytes of the body so far.</summary>
    internal int Length => _length;

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_hasTurn)
        {
            _hasTurn = false;
            _owner.EndTurn();
        }

        if (_buffer.Length > 0)
        {
            _owner.Release(_buffer.Length);
            ArrayPool<byte>.Shared.Return(_buffer);
            (_buffer, _length) = ([], 0);
        }
    }

    /// <summary>Adds what has arrived; false when there is no memory for it now.</summary>
    internal bool TryAdd(in ReadOnlySequence<byte> bytes)
    {
        var length = _length + (int)bytes.Length;
        if (length > _buffer.Length && !TryGrow(length))
        {
            return false;
        }

        bytes.CopyTo(_buffer.AsSpan(_length));
        _length = length;
        return true;
    }

    internal void TakeTurn() => _hasTurn = true;

    private bool TryGrow(int length)
    {
        // Twice what has arrived at most, whatever length the client announced.
        var size = Math.Max(RequestBodies.SmallestBuffer, (int)BitOperations.RoundUpToPowerOf2((uint)length));
        if (!_owner.TryHold(size))
        {
            return false;
        }

        var larger = ArrayPool<byte>.Shared.Rent(size); // exactly this size: a power of two
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0)
        {
            _owner.Release(_buffer.Length);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
        return true;
    }
}
