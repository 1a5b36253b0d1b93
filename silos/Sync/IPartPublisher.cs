using Monolith.Contracts.Sync;

namespace Monolith.Silos.Sync;

/// <summary>What became of an attempt to publish.</summary>
public enum PublishOutcome
{
    /// <summary>Replicas can see it.</summary>
    Published,

    /// <summary>Another activation owns the part now; this one must stop.</summary>
    Fenced,

    /// <summary>The store is away; try again later.</summary>
    Unavailable,
}

/// <summary>How one part reaches replicas, and how its activations exclude each other.</summary>
public interface IPartPublisher
{
    /// <summary>Takes the lease with an epoch, if it is above the holder's.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="mayBeOurs">
    /// Whether the lease may hold it by an earlier call of this activation, whose answer was lost; otherwise whoever holds it is
    /// another one, of the same millisecond.
    /// </param>
    /// <returns><see cref="PublishOutcome.Fenced"/> with the holder's epoch if that is not smaller.</returns>
    Task<(PublishOutcome Outcome, long Holder)> TakeLeaseAsync(long epoch, bool mayBeOurs);

    /// <summary>
    /// Whether no other activation owns the part. A lease that is gone is taken again, and one with a smaller epoch too: the store was
    /// restored from an older state, or was away when this activation began.
    /// </summary>
    Task<PublishOutcome> CheckLeaseAsync(long epoch);

    /// <summary>The snapshot that the part's published head names, relative to the folder; empty: none, or the store is away.</summary>
    Task<string> PublishedBaseAsync();

    /// <summary>
    /// Publishes where the part is and, if given, the delta that leads there, provided that the lease holds the epoch.
    /// </summary>
    Task<PublishOutcome> PublishAsync(PartHead head, Delta? delta);
}
