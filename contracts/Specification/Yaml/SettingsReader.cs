namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Reads settings.</summary>
internal static class SettingsReader
{
    private static readonly Scalar<double> Positive = Scalars.Number(0, float.MaxValue, above: true);

    /// <summary>Reads how files are read.</summary>
    public static SourceSpec Source(MapReader map) => Finish(map, new SourceSpec
    {
        Request = map.Has("request") ? map.Texts("request", "a list of the columns that together name a request") : [],
        Time = map.Text("time", "the column with the event time"),
        TimeUnit = map.Value(
            "time_unit", Scalars.OneOf(("seconds", TimeUnit.Seconds), ("milliseconds", TimeUnit.Milliseconds)), TimeUnit.Seconds),
        Item = map.Text("item", "the column with the item's id"),
        Missing = map.Has("missing") ? map.Texts("missing", "a list of spellings that mean: no value") : [],
    });

    /// <summary>Reads the training settings.</summary>
    public static TrainingSpec Training(MapReader map)
    {
        var defaults = new TrainingSpec();
        return Finish(map, new TrainingSpec
        {
            MicroBatch = map.Value("micro_batch", Scalars.Whole(1, SpecLimits.MicroBatch), defaults.MicroBatch),
            PartialAfter = map.Value("partial_after", Duration(0.001, 60), defaults.PartialAfter),
            Baseline = map.Text("baseline", "the name of a feature"),
        });
    }

    /// <summary>Reads the federated settings.</summary>
    public static FederatedSpec Federated(MapReader map)
    {
        var defaults = new FederatedSpec();
        return Finish(map, new FederatedSpec
        {
            Algorithm = map.Value(
                "algorithm", Scalars.OneOf(("fedavg", FederatedAlgorithm.FedAvg), ("fedavg_m", FederatedAlgorithm.FedAvgM)),
                defaults.Algorithm),
            LocalSteps = map.Value("local_steps", Scalars.Whole(1, 100_000), defaults.LocalSteps),
            Beta = map.Single("beta", Scalars.Number(0, 1, above: true), defaults.Beta),
            ServerStep = map.Single("server_step", Positive, defaults.ServerStep),
            RoundDeadline = map.Value("round_deadline", Duration(0.001, 3600), defaults.RoundDeadline),
        });
    }

    /// <summary>Reads the synchronization settings.</summary>
    public static SyncSpec Sync(MapReader map)
    {
        var defaults = new SyncSpec();
        return Finish(map, new SyncSpec
        {
            Interval = map.Value("interval", Duration(0.01, 3600), defaults.Interval),
            DeltaTimeToLive = map.Value("delta_time_to_live", Duration(1, 7 * 86400), defaults.DeltaTimeToLive),
            SnapshotInterval = map.Value("snapshot_interval", Duration(0.1, 86400), defaults.SnapshotInterval),
        });
    }

    /// <summary>Reads the join settings.</summary>
    public static JoinSpec Join(MapReader map)
    {
        var defaults = new JoinSpec();
        var window = Duration(0.1, 30 * 86400);
        return Finish(map, new JoinSpec
        {
            Window = map.Value("window", window, defaults.Window),
            Windows = map.Map("windows") is { } windows ? [.. windows.Entries(window).Select(w => new KindWindow(w.Key, w.Value))] : [],
            AllowedSkew = map.Value("allowed_skew", Duration(0, 7 * 86400), defaults.AllowedSkew),
        });
    }

    /// <summary>Reads the serving settings.</summary>
    public static ServingSpec Serving(MapReader map) => Finish(map, new ServingSpec
    {
        MaxCandidates = map.Value("max_candidates", Scalars.Whole(1, SpecLimits.Candidates), new ServingSpec().MaxCandidates),
    });

    private static T Finish<T>(MapReader map, T settings)
    {
        map.Done();
        return settings;
    }

    private static Scalar<TimeSpan> Duration(double minSeconds, double maxSeconds) =>
        Scalars.Duration(TimeSpan.FromSeconds(minSeconds), TimeSpan.FromSeconds(maxSeconds));
}
