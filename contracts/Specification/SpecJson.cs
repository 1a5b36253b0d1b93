using System.Globalization;
using System.Text.Json.Nodes;
using Monolith.Contracts.Specification.Yaml;

namespace Monolith.Contracts.Specification;

/// <summary>
/// The resolved form of a specification: every setting with its value, defaults included, in the shape of the YAML (JSON is
/// YAML, so it loads as a specification again).
/// </summary>
public static class SpecJson
{
    /// <summary>Writes a specification.</summary>
    public static JsonObject Of(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var json = new JsonObject
        {
            ["model"] = spec.Name,
            ["seed"] = spec.Seed,
            ["partition_by"] = spec.PartitionBy,
            ["shards"] = spec.Shards,
        };
        if (spec.Source is { } source)
        {
            json["source"] = Optional(
                new JsonObject
                {
                    ["request"] = List(source.Request, x => x),
                    ["time_unit"] = source.TimeUnit == TimeUnit.Seconds ? "seconds" : "milliseconds",
                },
                ("time", source.Time),
                ("item", source.Item),
                ("missing", source.Missing.IsEmpty ? null : List(source.Missing, x => x)));
        }

        json["tables"] = List(spec.Tables, Table);
        json["features"] = List(spec.Features, Feature);
        json["network"] = Network(spec.Network);
        json["tasks"] = List(spec.Tasks, SpecJsonTasks.Of);
        json["training"] = Optional(
            new JsonObject
            {
                ["micro_batch"] = spec.Training.MicroBatch,
                ["partial_after"] = Scalars.Text(spec.Training.PartialAfter),
            },
            ("baseline", spec.Training.Baseline));
        json["federated"] = new JsonObject
        {
            ["algorithm"] = spec.Federated.Algorithm == FederatedAlgorithm.FedAvg ? "fedavg" : "fedavg_m",
            ["local_steps"] = spec.Federated.LocalSteps,
            ["beta"] = Number(spec.Federated.Beta),
            ["server_step"] = Number(spec.Federated.ServerStep),
            ["round_deadline"] = Scalars.Text(spec.Federated.RoundDeadline),
        };
        json["sync"] = new JsonObject
        {
            ["interval"] = Scalars.Text(spec.Sync.Interval),
            ["delta_time_to_live"] = Scalars.Text(spec.Sync.DeltaTimeToLive),
            ["snapshot_interval"] = Scalars.Text(spec.Sync.SnapshotInterval),
        };
        json["join"] = SpecJsonTasks.Join(spec.Join);
        json["serving"] = new JsonObject { ["max_candidates"] = spec.Serving.MaxCandidates };
        return json;
    }

    /// <summary>Writes a feature.</summary>
    internal static JsonObject Feature(FeatureSpec feature) => feature switch
    {
        CategoricalFeature c => Optional(
            new JsonObject
            {
                ["name"] = c.Name,
                ["kind"] = "categorical",
                ["source"] = c.Source,
                ["table"] = c.Table,
                ["combiner"] = c.Combiner switch { Combiner.Sum => "sum", Combiner.Mean => "mean", _ => "sqrtn" },
            },
            ("separator", c.Separator), ("bucketize", Bucketize(c.Bucketize)), ("score_as", c.ScoreAs)),
        CrossFeature x => new JsonObject
        {
            ["name"] = x.Name,
            ["kind"] = "cross",
            ["of"] = List(x.Of, name => name),
            ["table"] = x.Table,
        },
        NumericFeature n => Optional(
            new JsonObject
            {
                ["name"] = n.Name,
                ["kind"] = "numeric",
                ["source"] = n.Source,
                ["transforms"] = List(n.Transforms, Transform),
            },
            ("score_as", n.ScoreAs)),
        _ => throw Unknown(feature),
    };

    /// <summary>Writes an initializer.</summary>
    internal static JsonObject Initializer(InitializerSpec initializer) => initializer switch
    {
        ZerosInitializer => Kind("zeros"),
        ConstantInitializer c => Kind("constant", ("value", Number(c.Value))),
        UniformInitializer u => Kind("uniform", ("low", Number(u.Low)), ("high", Number(u.High))),
        TruncatedNormalInitializer n => Kind("truncated_normal", ("mean", Number(n.Mean)), ("deviation", Number(n.Deviation))),
        _ => throw Unknown(initializer),
    };

    private static JsonObject Table(TableSpec table) => Optional(
        new JsonObject
        {
            ["name"] = table.Name,
            ["admission"] = table.Admission switch
            {
                AdmitAll => Kind("all"),
                AdmitAfter a => Kind("after", ("threshold", a.Threshold), ("remembered", a.Remembered)),
                AdmitByShare a => Kind("by_share", ("threshold", a.Threshold)),
                AdmitByChance a => Kind("by_chance", ("threshold", a.Threshold)),
                _ => throw Unknown(table.Admission),
            },
            ["unseen"] = table.Unseen == UnseenValue.Zeros ? "zeros" : "initial_value",
            ["precision"] = Precision(table.Precision),
            ["segments"] = List(table.Segments, s => new JsonObject
            {
                ["dimension"] = s.Dimension,
                ["initializer"] = Initializer(s.Initializer),
                ["optimizer"] = SpecJsonOptimizers.Of(s.Optimizer),
                ["serving_precision"] = Precision(s.ServingPrecision),
            }),
        },
        ("expiry", table.Expiry is { } expiry ? Scalars.Text(expiry) : null),
        ("budget", table.Budget is { } budget ? Budget(budget) : null));

    private static JsonObject Budget(BudgetSpec budget) => Optional(
        new JsonObject
        {
            ["evict"] = budget.Evict switch
            {
                EvictionOrder.LeastRecentlyUsed => "least_recently_used",
                EvictionOrder.LeastFrequentlyUsed => "least_frequently_used",
                _ => "smallest_norm",
            },
        },
        ("max_rows", budget.MaxRows),
        ("max_bytes", budget.MaxBytes));

    private static string Precision(RowPrecision precision) => precision switch
    {
        RowPrecision.Float16 => "float16",
        RowPrecision.BFloat16 => "bfloat16",
        _ => "float32",
    };

    private static JsonObject Network(NetworkSpec network) => new()
    {
        ["kind"] = network switch { DeepFmNetwork => "deepfm", _ => throw Unknown(network) },
        ["hidden"] = List(network.Hidden, x => x),
        ["optimizer"] = network.Optimizer switch
        {
            DenseSgd s => Kind("sgd", ("learning_rate", Number(s.LearningRate))),
            AdamOptimizer a => Kind(
                "adam", ("learning_rate", Number(a.LearningRate)), ("beta1", Number(a.Beta1)), ("beta2", Number(a.Beta2)),
                ("epsilon", Number(a.Epsilon))),
            _ => throw Unknown(network.Optimizer),
        },
    };

    private static JsonObject? Bucketize(BucketizeSpec? bucketize) => bucketize switch
    {
        null => null,
        LogBuckets log => Kind("log2", ("per_octave", log.PerOctave)),
        BoundaryBuckets b => Kind("boundaries", ("boundaries", List(b.Boundaries, x => x))),
        _ => throw Unknown(bucketize),
    };

    private static JsonObject Transform(NumericTransform transform) => transform switch
    {
        LogTransform => Kind("log"),
        StandardizeTransform s => Kind("standardize", ("mean", s.Mean), ("deviation", s.Deviation)),
        ClipTransform c => Kind("clip", ("low", c.Low), ("high", c.High)),
        _ => throw Unknown(transform),
    };

    internal static JsonObject Kind(string kind, params (string Key, JsonNode? Value)[] rest) =>
        Optional(new JsonObject { ["kind"] = kind }, rest);

    internal static JsonObject Optional(JsonObject json, params (string Key, JsonNode? Value)[] rest)
    {
        foreach (var (key, value) in rest)
        {
            if (value is not null)
            {
                json[key] = value;
            }
        }

        return json;
    }

    internal static JsonArray List<T>(IEnumerable<T> items, Func<T, JsonNode?> write) => [.. items.Select(write)];

    // A float's shortest text, not the digits of the double nearest to it.
    internal static double Number(float x) =>
        double.Parse(x.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    internal static NotSupportedException Unknown(object setting) => new($"Unknown setting {setting.GetType().Name}");
}
