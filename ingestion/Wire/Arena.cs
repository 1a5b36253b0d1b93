namespace Monolith.Ingestion.Wire;

/// <summary>
/// Memory for the records of one transaction: bump-allocated in blocks that the collector takes when the records are gone.
/// </summary>
internal sealed class Arena
{
    private const int BlockBytes = 64 << 10;
    private byte[] _block = [];
    private int _at;

    /// <summary>Bytes taken since the last <see cref="Reset"/>.</summary>
    public long Taken { get; private set; }

    /// <summary>Room for at most this many bytes; valid until the next call.</summary>
    public Span<byte> Reserve(int bytes)
    {
        if (_block.Length - _at < bytes)
        {
            _block = GC.AllocateUninitializedArray<byte>(Math.Max(BlockBytes, bytes));
            _at = 0;
        }

        return _block.AsSpan(_at, bytes);
    }

    /// <summary>Keeps the first bytes of what was reserved.</summary>
    public ReadOnlyMemory<byte> Take(int bytes)
    {
        var taken = _block.AsMemory(_at, bytes);
        _at += bytes;
        Taken += bytes;
        return taken;
    }

    /// <summary>A copy of some bytes.</summary>
    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        return Take(bytes.Length);
    }

    /// <summary>Starts counting anew; memory that was handed out stays valid.</summary>
    public void Reset() => Taken = 0;
}
