using Monolith.Contracts.Sync;

namespace Monolith.Silos.Parts;

/// <summary>
/// What a part has learned, apart from how it is kept (<see cref="PartKeeper"/>) and called (its grain). Not thread-safe:
/// its grain sees to that.
/// </summary>
public interface IPartState
{
    /// <summary>What must be equal for a snapshot to be readable, one line a fact.</summary>
    IReadOnlyList<string> Layout { get; }

    /// <summary>How far each partition is applied.</summary>
    AppliedOffsets Offsets { get; }

    /// <summary>Raised by every change that a snapshot should not miss for long.</summary>
    long Version { get; }

    /// <summary>Begins a copy of the state, one at a time; the offsets travel in the snapshot's header.</summary>
    /// <param name="increment">What changed since the copy before is enough, if the state knows that.</param>
    IStateCopy BeginCopy(bool increment);

    /// <summary>Reads a copy: a full one into a fresh state, then the increments that were taken after it, in turn.</summary>
    /// <exception cref="InvalidDataException">It is not of this layout, or does not continue what was read before.</exception>
    void Load(Stream stream, AppliedOffsets offsets);
}

/// <summary>A part whose changes travel to replicas.</summary>
public interface ISyncedState : IPartState
{
    /// <summary>
    /// Whether values changed since the last <see cref="TakeDelta"/>. A watermark that moves on needs no delta: it travels in the
    /// part's head.
    /// </summary>
    bool HasDelta { get; }

    /// <summary>Takes the changes since the last call.</summary>
    /// <param name="epoch">Epoch of both sequences.</param>
    /// <param name="sequence">The sequence that the delta leads to, from the one before.</param>
    /// <returns>The caller disposes; null when the changes are too many for a delta, and are lost to all but a snapshot.</returns>
    Delta? TakeDelta(long epoch, long sequence);
}
