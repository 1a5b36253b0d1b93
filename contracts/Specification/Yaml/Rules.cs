using System.Globalization;
using System.Numerics;

namespace Monolith.Contracts.Specification.Yaml;

/// <summary>What must hold between the parts of a specification.</summary>
internal static class Rules
{
    /// <summary>Notes every mistake.</summary>
    public static void Check(ModelSpec spec, Mistakes mistakes)
    {
        if (!BitOperations.IsPow2(spec.Shards))
        {
            mistakes.AddUnlessKnown("shards", $"'{spec.Shards}'", $"a power of two from 1 to {SpecLimits.Shards}");
        }

        Count(mistakes, "tables", spec.Tables.Length, SpecLimits.Tables);
        Count(mistakes, "features", spec.Features.Length, SpecLimits.Features);
        Count(mistakes, "tasks", spec.Tasks.Length, SpecLimits.Tasks);
        Unique(mistakes, "tables", [.. spec.Tables.Select(t => t.Name)]);
        Unique(mistakes, "features", [.. spec.Features.Select(f => f.Name)]);
        Unique(mistakes, "tasks", [.. spec.Tasks.Select(t => t.Name)]);
        TableRules.Check(spec, mistakes);
        FeatureRules.Check(spec, mistakes);
        TaskRules.Check(spec, mistakes);
        PartitionBy(spec, mistakes);
        Baseline(spec, mistakes);
        Network(spec, mistakes);
        Federated(spec, mistakes);
        Sync(spec, mistakes);
        Source(spec, mistakes);
    }

    internal static void Count(Mistakes mistakes, string path, int count, int max)
    {
        if (count == 0 || count > max)
        {
            mistakes.AddUnlessKnown(path, count == 0 ? "an empty list" : $"{count} of them", $"1 to {max}");
        }
    }

    private static void CountUpTo(Mistakes mistakes, string path, int count, int max)
    {
        if (count > max)
        {
            mistakes.AddUnlessKnown(path, $"{count} of them", $"at most {max}");
        }
    }

    private static void Unique(Mistakes mistakes, string path, string[] names)
    {
        for (var i = 0; i < names.Length; i++)
        {
            var first = Array.IndexOf(names, names[i]);
            if (first < i && names[i].Length > 0)
            {
                mistakes.AddUnlessKnown($"{path}[{i}].name", $"'{names[i]}' a second time", $"a name of its own ({path}[{first}] has it)");
            }
        }
    }

    private static void PartitionBy(ModelSpec spec, Mistakes mistakes)
    {
        var sources = spec.Features.OfType<CategoricalFeature>().Where(f => f.Separator is null).Select(f => f.Source);
        string[] allowed = [.. sources.Concat(spec.Source?.Request ?? []).Where(s => s.Length > 0).Distinct()];
        if (!allowed.Contains(spec.PartitionBy))
        {
            mistakes.AddUnlessKnown(
                "partition_by", $"'{spec.PartitionBy}'{Suggestion.For(spec.PartitionBy, allowed)}",
                $"the source of a single-valued categorical feature or a request column: {Words(allowed)}");
        }
    }

    private static void Baseline(ModelSpec spec, Mistakes mistakes)
    {
        string[] allowed = [.. spec.Features
            .Where(f => f is CategoricalFeature { Separator: null } or CrossFeature).Select(f => f.Name)];
        if (spec.Training.Baseline is { } baseline && !allowed.Contains(baseline))
        {
            mistakes.AddUnlessKnown(
                "training.baseline", $"'{baseline}'{Suggestion.For(baseline, allowed)}",
                $"a single-valued categorical feature or cross: {Words(allowed)}");
        }
    }

    private static void Network(ModelSpec spec, Mistakes mistakes)
    {
        Count(mistakes, "network.hidden", spec.Network.Hidden.Length, SpecLimits.HiddenLayers);
        if (!spec.Features.Any(f => f is EmbeddedFeature))
        {
            mistakes.AddUnlessKnown("features", "numbers only", "at least one categorical feature (deepfm)");
        }
    }

    private static void Federated(ModelSpec spec, Mistakes mistakes)
    {
        if (spec.Federated is { Algorithm: FederatedAlgorithm.FedAvg, Beta: not 1f })
        {
            mistakes.AddUnlessKnown(
                "federated.beta", string.Create(CultureInfo.InvariantCulture, $"'{spec.Federated.Beta}'"),
                "1 with fedavg (fedavg_m is the algorithm with momentum)");
        }
    }

    private static void Sync(ModelSpec spec, Mistakes mistakes)
    {
        // A replica that starts anew begins at the newest snapshot and needs every delta since.
        if (spec.Sync.DeltaTimeToLive <= spec.Sync.SnapshotInterval)
        {
            mistakes.AddUnlessKnown(
                "sync.delta_time_to_live", $"'{Scalars.Text(spec.Sync.DeltaTimeToLive)}'",
                $"longer than sync.snapshot_interval ({Scalars.Text(spec.Sync.SnapshotInterval)})");
        }
    }

    private static void Source(ModelSpec spec, Mistakes mistakes)
    {
        if (spec.Source is { } source)
        {
            CountUpTo(mistakes, "source.request", source.Request.Length, SpecLimits.RequestColumns);
            CountUpTo(mistakes, "source.missing", source.Missing.Length, SpecLimits.MissingSpellings);
            for (var i = 0; i < source.Request.Length; i++)
            {
                if (source.Request.IndexOf(source.Request[i]) < i)
                {
                    mistakes.AddUnlessKnown($"source.request[{i}]", $"'{source.Request[i]}' a second time", "each column once");
                }
            }
        }
    }

    /// <summary>The first of a list of words.</summary>
    internal static string Words(IReadOnlyCollection<string> words) => words.Count switch
    {
        0 => "(there is none)",
        <= 20 => string.Join(", ", words),
        _ => string.Join(", ", words.Take(20)) + ", …",
    };
}
