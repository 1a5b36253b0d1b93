using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;

namespace Monolith.Contracts.Specification;

/// <summary>
/// What of a specification stored parameters depend on, and so may not change while they are kept: shards, the seed of
/// initial values, tables with their segments, initializers and kinds of optimizers, features with their order, tables and
/// ids, the network's shape, the tasks. Learning rates, the dense optimizer (it starts from scratch then), windows, intervals
/// and limits may change at any time.
/// </summary>
public sealed class SpecLayout
{
    private SpecLayout(ImmutableArray<string> lines)
    {
        Lines = lines;
        Fingerprint = FingerprintOf(lines);
    }

    /// <summary>One line a fact, for people and for comparison.</summary>
    public ImmutableArray<string> Lines { get; }

    /// <summary>16 hexadecimal digits that are the same if and only if (but for hash collisions) the lines are.</summary>
    public string Fingerprint { get; }

    /// <summary>The <see cref="Fingerprint"/> of a layout's lines.</summary>
    public static string FingerprintOf(IEnumerable<string> lines) =>
        XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(string.Join('\n', lines))).ToString("x16");

    /// <summary>The layout of a specification.</summary>
    public static SpecLayout Of(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return new SpecLayout(
        [
            $"model {spec.Name}",
            $"seed {spec.Seed}",
            $"shards {spec.Shards}",
            .. spec.Tables.Select(t => $"table {t.Name} in {t.Precision}: " + string.Join(" + ", t.Segments.Select(Segment))),
            .. spec.Features.Select(Feature),
            $"network {spec.Network.GetType().Name} [{string.Join(", ", spec.Network.Hidden)}]",
            .. spec.Tasks.Select(t => $"task {t.Name}"),
        ]);
    }

    /// <summary>What differs from what was stored: "now …" and "stored …" lines; empty when nothing does.</summary>
    public IReadOnlyList<string> Differences(IReadOnlyCollection<string> stored) =>
    [
        .. stored.Except(Lines).Select(line => $"stored: {line}"),
        .. Lines.Except(stored).Select(line => $"now: {line}"),
        .. stored.SequenceEqual(Lines) || !stored.ToHashSet().SetEquals(Lines) ? Array.Empty<string>() : ["now: another order"],
    ];

    private static string Segment(SegmentSpec segment) =>
        $"{segment.Dimension} × {segment.Optimizer.GetType().Name}{(segment.Optimizer is SparseAdamOptimizer { AmsGrad: true } ? " with maxima" : "")} from {SpecJson.Initializer(segment.Initializer).ToJsonString()}";

    // How a value becomes ids counts; how it is looked up, pooled or scored does not.
    private static string Feature(FeatureSpec feature) => feature switch
    {
        CrossFeature cross => $"feature {cross.Name} in {cross.Table}: cross of {string.Join(", ", cross.Of)}",
        EmbeddedFeature embedded => $"feature {embedded.Name} in {embedded.Table}",
        _ => $"feature {feature.Name}",
    };
}
