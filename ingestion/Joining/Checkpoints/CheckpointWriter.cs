using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Monolith.Ingestion.Joining.Checkpoints;

/// <summary>
/// A checkpoint's bytes, copied into blocks of the joiner's memory: that is quick, needs no memory beyond the budget, and can
/// be written by another thread. Values are written as they lie in memory; <see cref="CheckpointReader"/> reads them back.
/// </summary>
internal sealed class CheckpointWriter(JoinMemory memory) : IDisposable
{
    /// <summary>Values written or read at once.</summary>
    public const int PieceValues = 1 << 16;
    private readonly List<byte[]> _blocks = [];
    private int _at;

    public long Bytes { get; private set; }

    public void Value<T>(T value)
        where T : unmanaged
        => Append(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>How many there are, and they.</summary>
    public void Values<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Value(values.Length);
        for (int taken; values.Length > 0; values = values[taken..])
        {
            // More than 2 GiB are no span of bytes.
            taken = Math.Min(values.Length, PieceValues);
            Append(MemoryMarshal.AsBytes(values[..taken]));
        }
    }

    /// <summary>Writes a new file with the checksum behind the bytes, and returns once it is on disk.</summary>
    public void Save(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        var hash = new XxHash128();
        var position = 0L;
        for (var i = 0; i < _blocks.Count; i++)
        {
            var bytes = _blocks[i].AsSpan(0, i < _blocks.Count - 1 ? _blocks[i].Length : _at);
            hash.Append(bytes);
            RandomAccess.Write(file, bytes, position);
            position += bytes.Length;
        }

        RandomAccess.Write(file, hash.GetCurrentHash(), position);
        RandomAccess.FlushToDisk(file);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _blocks.ForEach(memory.Return);
        _blocks.Clear();
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        Bytes += bytes.Length;
        while (bytes.Length > 0)
        {
            if (_blocks.Count == 0 || _at == _blocks[^1].Length)
            {
                _blocks.Add(memory.Rent(0));
                _at = 0;
            }

            var room = _blocks[^1].AsSpan(_at);
            var taken = Math.Min(room.Length, bytes.Length);
            bytes[..taken].CopyTo(room);
            bytes = bytes[taken..];
            _at += taken;
        }
    }
}
