using System.Collections.Immutable;
using System.Globalization;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Parts;

/// <summary>Everything that learns from a model's examples.</summary>
/// <param name="Shards">The embedding shards, in order.</param>
/// <param name="Metrics">Progressive validation.</param>
/// <param name="Federation">The dense parameters.</param>
public sealed record ModelParts(ImmutableArray<IEmbeddingShardGrain> Shards, IMetricsGrain Metrics, IFederationGrain Federation)
{
    /// <summary>All parts: shards, then metrics, then federation. Offsets are kept in this order.</summary>
    public ImmutableArray<IPart> All { get; } = [.. Shards, Metrics, Federation];

    /// <summary>Place of the metrics in <see cref="All"/>.</summary>
    public int MetricsIndex => Shards.Length;

    /// <summary>Place of the dense parameters in <see cref="All"/>.</summary>
    public int FederationIndex => Shards.Length + 1;

    /// <summary>A model's parts in the cluster that the factory reaches.</summary>
    public static ModelParts Of(IGrainFactory grains, ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(grains);
        ArgumentNullException.ThrowIfNull(spec);
        return new ModelParts(
            [.. Enumerable.Range(0, spec.Shards).Select(s => grains.GetGrain<IEmbeddingShardGrain>(
                string.Create(CultureInfo.InvariantCulture, $"{spec.Name}/{s}")))],
            grains.GetGrain<IMetricsGrain>(spec.Name),
            grains.GetGrain<IFederationGrain>(spec.Name));
    }
}
