using System.Buffers;
using Microsoft.IO;

namespace Monolith.Silos.Parts;

/// <summary>A copy of a part's state as it was when the copy began, while the state goes on changing.</summary>
public interface IStateCopy : IDisposable
{
    /// <summary>Whether it holds only what changed since the copy before.</summary>
    bool IsIncrement => false;

    /// <summary>Copies on by a bounded amount, between two calls of the part.</summary>
    /// <returns>True when all is copied.</returns>
    bool Step();

    /// <summary>The copied bytes, in order, once all is copied; valid until the copy is disposed.</summary>
    IReadOnlyList<ReadOnlySequence<byte>> Finish();
}

/// <summary>Memory for copies: pooled blocks, so that a large part's copy leaves no garbage.</summary>
internal static class CopyMemory
{
    private static readonly RecyclableMemoryStreamManager Manager = new(new RecyclableMemoryStreamManager.Options
    {
        MaximumSmallPoolFreeBytes = 256 << 20,
    });

    public static RecyclableMemoryStream Stream() => Manager.GetStream();
}

/// <summary>A copy made in one step: for a state that is small.</summary>
/// <param name="save">Writes the state.</param>
internal sealed class WholeCopy(Action<Stream> save) : IStateCopy
{
    private readonly RecyclableMemoryStream _stream = CopyMemory.Stream();

    /// <inheritdoc/>
    public bool Step()
    {
        if (_stream.Length == 0)
        {
            save(_stream);
        }

        return true;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ReadOnlySequence<byte>> Finish() => [_stream.GetReadOnlySequence()];

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
