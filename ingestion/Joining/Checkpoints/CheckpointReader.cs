using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Monolith.Ingestion.Joining.Checkpoints;

/// <summary>Reads what <see cref="CheckpointWriter"/> wrote, after all of it has been checked.</summary>
internal sealed class CheckpointReader : IDisposable
{
    private const int BufferBytes = 64 << 10;
    private readonly FileStream _file;

    private CheckpointReader(FileStream file) => _file = file;

    public long Bytes => _file.Length;

    /// <exception cref="InvalidDataException">The bytes are not those that were written.</exception>
    public static CheckpointReader Open(string path)
    {
        var file = new FileStream(path, new FileStreamOptions { BufferSize = BufferBytes });
        try
        {
            Check(file);
            return new CheckpointReader(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public T Value<T>()
        where T : unmanaged
    {
        T value = default;
        _file.ReadExactly(MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    public T[] Values<T>()
        where T : unmanaged
    {
        var values = GC.AllocateUninitializedArray<T>(Value<int>());
        Fill(values.AsSpan());
        return values;
    }

    public List<T> List<T>()
        where T : unmanaged
    {
        var values = new List<T>();
        CollectionsMarshal.SetCount(values, Value<int>());
        Fill(CollectionsMarshal.AsSpan(values));
        return values;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Fill<T>(Span<T> values)
        where T : unmanaged
    {
        for (int taken; values.Length > 0; values = values[taken..])
        {
            taken = Math.Min(values.Length, CheckpointWriter.PieceValues);
            _file.ReadExactly(MemoryMarshal.AsBytes(values[..taken]));
        }
    }

    private static void Check(FileStream file)
    {
        var hash = new XxHash128();
        var left = file.Length - hash.HashLengthInBytes;
        Span<byte> buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        for (int taken; left > 0; left -= taken)
        {
            taken = (int)Math.Min(left, buffer.Length);
            file.ReadExactly(buffer[..taken]);
            hash.Append(buffer[..taken]);
        }

        var expected = buffer[..hash.HashLengthInBytes];
        if (left < 0 || file.ReadAtLeast(expected, expected.Length, throwOnEndOfStream: false) < expected.Length
            || !expected.SequenceEqual(hash.GetCurrentHash()))
        {
            throw new InvalidDataException($"'{file.Name}' is damaged: its {file.Length} bytes do not match their checksum.");
        }

        file.Position = 0;
    }
}
