using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Silos.Models;
using Monolith.Silos.Snapshots;
using Monolith.Silos.Sync;
using StackExchange.Redis;

namespace Monolith.Silos.Parts;

/// <summary>What every part of this process shares.</summary>
/// <param name="Models">The specifications.</param>
/// <param name="SnapshotFolder">Where snapshots lie.</param>
/// <param name="Redis">Null: nothing is published.</param>
/// <param name="Time">The clock.</param>
/// <param name="Metrics">Figures.</param>
/// <param name="Loggers">Logs.</param>
public sealed record PartServices(
    IModelRegistry Models,
    string SnapshotFolder,
    IConnectionMultiplexer? Redis,
    TimeProvider Time,
    SiloMetrics Metrics,
    ILoggerFactory Loggers)
{
    /// <summary>A keeper for a part.</summary>
    public PartKeeper Keep(PartIdentity part, IPartState state, SyncSpec sync)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(sync);
        var logger = Loggers.CreateLogger<PartKeeper>();
        var publisher = Redis is null ? null : new RedisPartPublisher(
            Redis, part, SpecLayout.FingerprintOf(state.Layout), sync.DeltaTimeToLive, logger);
        return new PartKeeper(part, state, new SnapshotStore(SnapshotFolder, part, logger), publisher, Time, Metrics, logger);
    }
}
