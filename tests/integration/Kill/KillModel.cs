using Monolith.Contracts.Specification;
using Monolith.Features;

namespace Monolith.Integration.Tests.Kill;

/// <summary>
/// A model that counts. Every example has the same probe values, one of whose rows lies in each shard. Learning rates are so
/// small that predictions stay at one half, so an example moves every probe row by the same known amount up for a click and
/// down for none: after N examples with M clicks a probe row must be lr·(M − N/2), whatever the order they came in. One
/// example applied twice, or not at all, shows.
/// </summary>
internal static class KillModel
{
    public const string Name = "kill";
    public const double LearningRate = 1e-8;

    public static ModelSpec Spec { get; } = ModelSpecFile.Parse(Yaml, "kill.yaml");

    public const string Yaml = """
        model: kill
        partition_by: user
        shards: 4
        tables:
          - name: main
            segments:
              - { dimension: 1, optimizer: { kind: sgd, learning_rate: 0.00000001 } }
              - { dimension: 2, optimizer: { kind: sgd, learning_rate: 0.00000001 } }
        features:
          - { name: user, kind: categorical }
          - { name: item, kind: categorical }
          - { name: probe, kind: categorical, separator: "|", table: main }
        network: { kind: deepfm, hidden: [4], optimizer: { kind: sgd, learning_rate: 0.00000001 } }
        tasks: [ { name: click, label: click, base_rate: 0.5 } ]
        training: { micro_batch: 16, partial_after: 20ms }
        sync: { interval: 100ms, snapshot_interval: 1s }
        join: { window: 8s, allowed_skew: 2s }
        """;

    /// <summary>A probe value for each shard: the smallest number whose row lies there.</summary>
    public static IReadOnlyList<string> Probes { get; } =
        [.. Enumerable.Range(0, Spec.Shards).Select(shard => Values().First(v => ShardMap.Of(IdOf(v), Spec.Shards) == shard))];

    /// <summary>The id of a probe value.</summary>
    public static ulong IdOf(string probe) => FeatureId.Of(FeatureId.Salt("probe"), probe);

    private static IEnumerable<string> Values() => Enumerable.Range(0, 1000).Select(i => $"p{i}");
}
