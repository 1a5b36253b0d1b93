using System.Runtime.InteropServices;

namespace Monolith.Contracts.Sync;

/// <summary>
/// The part of a dense snapshot's body that replicas read too: <c>round i64, length i32, float32[length]</c>. What follows
/// (momentum, the workers' optimizer states) is the federation's alone.
/// </summary>
public static class DenseSnapshot
{
    /// <summary>Writes the round and the parameters.</summary>
    public static void Write(Stream stream, long round, ReadOnlySpan<float> parameters)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var length = parameters.Length;
        stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in round)));
        stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
        stream.Write(MemoryMarshal.AsBytes(parameters));
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="stream">The body.</param>
    /// <param name="parameters">As many as the network has.</param>
    /// <returns>The round.</returns>
    /// <exception cref="InvalidDataException">It holds another number of parameters.</exception>
    public static long Read(Stream stream, Span<float> parameters)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var (round, length) = (0L, 0);
        stream.ReadExactly(MemoryMarshal.AsBytes(new Span<long>(ref round)));
        stream.ReadExactly(MemoryMarshal.AsBytes(new Span<int>(ref length)));
        if (length != parameters.Length)
        {
            throw new InvalidDataException($"A snapshot holds {length} dense parameters; the network has {parameters.Length}.");
        }

        stream.ReadExactly(MemoryMarshal.AsBytes(parameters));
        return round;
    }
}
