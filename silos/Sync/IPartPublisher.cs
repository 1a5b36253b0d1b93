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
    /// <returns><see cref="PublishOutcome.Fenced"/> with the holder's epoch if that is larger.</returns>
    Task<(PublishOutcome Outcome, long Holder)> TakeLeaseAsync(long epoch);

    /// <summary>Whether the lease still holds this epoch; a lease that is gone altogether is taken again.</summary>
    Task<PublishOutcome> CheckLeaseAsync(long epoch);

    /// <summary>
    /// Publishes where the part is and, if given, the delta that leads there, provided that the lease holds the epoch.
    /// </summary>
    Task<PublishOutcome> PublishAsync(PartHead head, Delta? delta);
}
