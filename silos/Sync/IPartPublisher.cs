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

    /// <summary>Whether the lease still holds this epoch; a lease that is gone altogether is taken again.</summary>
    Task<PublishOutcome> CheckLeaseAsync(long epoch);

    /// <summary>
    /// Publishes where the part is and, if given, the delta that leads there, provided that the lease holds the epoch.
    /// </summary>
    Task<PublishOutcome> PublishAsync(PartHead head, Delta? delta);
}
