namespace Monolith.Contracts.Sync;

/// <summary>Where a published part is: what the hash <see cref="RedisNames.Head"/> says.</summary>
/// <param name="Epoch">Raised by every activation of the part.</param>
/// <param name="Sequence">Newest sequence in the epoch.</param>
/// <param name="Base">The newest snapshot, relative to the snapshot folder; empty: none.</param>
/// <param name="BaseSequence">The sequence of the epoch that <paramref name="Base"/> equals; 0 without one: nothing learned.</param>
public readonly record struct PartHead(long Epoch, long Sequence, string Base, long BaseSequence);
