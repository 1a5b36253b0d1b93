using Monolith.Contracts.Sync;

namespace Monolith.Silos.Snapshots;

/// <summary>
/// A full snapshot and the increments after it, as one activation published them: what the next increment builds on. Whoever
/// begins a copy has no chain until that copy is published, since the state does not tell the same changes twice.
/// </summary>
/// <param name="Names">The files, in order; none: only a full snapshot can follow.</param>
/// <param name="Sequence">The sequence of the newest.</param>
/// <param name="FullBytes">Size of the full one.</param>
/// <param name="IncrementBytes">Size of all increments.</param>
internal sealed record IncrementChain(string[] Names, long Sequence, long FullBytes, long IncrementBytes)
{
    /// <summary>Files of a chain, at most: all of them are read to restore one, and the log is kept from the oldest on.</summary>
    public const int LengthMax = 16;

    /// <summary>Nothing to build on.</summary>
    public static IncrementChain None { get; } = new([], 0, 0, 0);

    /// <summary>
    /// Whether an increment may follow: files stay few, and together below one and a half times the full one. A snapshot of the
    /// same sequence would have the same name as what it builds on, so it is full.
    /// </summary>
    /// <param name="sequence">Its sequence.</param>
    public bool Takes(long sequence) =>
        Names.Length is > 0 and < LengthMax && IncrementBytes <= FullBytes / 2 && sequence > Sequence;

    /// <summary>The chain with what was published now.</summary>
    /// <param name="header">What it is of.</param>
    /// <param name="path">Its file.</param>
    /// <param name="bytes">Its size.</param>
    public IncrementChain With(SnapshotHeader header, string path, long bytes) => header.BuildsOn is null
        ? new([Path.GetFileName(path)], header.Sequence, bytes, 0)
        : new([.. Names, Path.GetFileName(path)], header.Sequence, FullBytes, IncrementBytes + bytes);
}
