namespace Monolith.Bench.Soak;

/// <summary>The specifications that the soak serves.</summary>
/// <param name="Name">Name of the part.</param>
/// <param name="Yaml">The specification.</param>
internal sealed record SoakModel(string Name, string Yaml)
{
    /// <summary>Features of the idle model: with its hidden layers, 2.9 MB of dense parameters.</summary>
    private const int IdleFeatures = 27;

    /// <summary>A network that is large enough for its copies to be seen.</summary>
    public static SoakModel Idle { get; } = new("idle", Spec(
        vector: 16, expiry: "", hidden: "[1024, 300]", [.. Enumerable.Range(0, IdleFeatures - 2).Select(i => $"f{i}")]));

    /// <summary>A tiny network: what grows is the traffic's.</summary>
    public static SoakModel Busy { get; } = new("busy", Spec(vector: 8, expiry: "expiry: 1m", hidden: "[16, 8]", []));

    private static string Spec(int vector, string expiry, string hidden, string[] more) =>
        $$"""
        model: soak
        seed: 1
        partition_by: user
        shards: 2
        tables:
          - name: main
            {{expiry}}
            segments:
              - { dimension: 1, optimizer: { kind: ftrl, learning_rate: 0.05 } }
              - dimension: {{vector}}
                initializer: { kind: uniform, low: -0.01, high: 0.01 }
                optimizer: { kind: adagrad, learning_rate: 0.05, initial_accumulator: 0.1 }
        features:
        {{string.Join('\n', more.Prepend("item").Prepend("user").Select(f => $"  - {{ name: {f}, kind: categorical }}"))}}
        network: { kind: deepfm, hidden: {{hidden}}, optimizer: { kind: adam, learning_rate: 0.002 } }
        tasks: [ { name: click, label: click, base_rate: 0.1 } ]
        join: { window: 2s, allowed_skew: 1m }

        """;
}
