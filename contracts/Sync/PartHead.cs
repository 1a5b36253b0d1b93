namespace Monolith.Contracts.Sync;

/// <summary>Where a published part is: what the hash <see cref="RedisNames.Head"/> says.</summary>
/// <param name="Epoch">Raised by every activation of the part.</param>
/// <param name="Sequence">Newest sequence in the epoch.</param>
/// <param name="Base">The newest snapshot, relative to the snapshot folder; empty: none.</param>
/// <param name="BaseSequence">The sequence of the epoch that <paramref name="Base"/> equals; 0 without one: nothing learned.</param>
/// <param name="WatermarkMs">
/// Emission time learned through at <paramref name="Sequence"/>, in Unix milliseconds: it moves on without a delta.
/// </param>
public readonly record struct PartHead(long Epoch, long Sequence, string Base, long BaseSequence, long WatermarkMs);
