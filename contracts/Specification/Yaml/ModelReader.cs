namespace Monolith.Contracts.Specification.Yaml;

/// <summary>Reads the model as a whole.</summary>
internal static class ModelReader
{
    /// <summary>Reads a specification; what is missing or wrong is noted and replaced.</summary>
    public static ModelSpec Read(MapReader map)
    {
        var tables = map.List("tables", true, "a list of tables", TableReader.Read);
        // Without any table that is the mistake, not that features name none.
        var onlyTable = tables switch { [] => "", [var table] => table.Name, _ => null };
        var spec = new ModelSpec
        {
            Name = map.RequiredText("model", Scalars.ModelNameAllowed, Scalars.IsModelName),
            Seed = map.Value("seed", Scalars.Whole(0UL, ulong.MaxValue), 1UL),
            PartitionBy = map.RequiredText("partition_by", "the event field by which examples are spread, usually the user's id"),
            Shards = map.Value("shards", Scalars.Whole(1, SpecLimits.Shards), 8),
            Source = map.Map("source") is { } source ? SettingsReader.Source(source) : null,
            Tables = tables,
            Features = map.List("features", true, "a list of features", f => FeatureReader.Read(f, onlyTable)),
            Network = map.Map("network") is { } network ? NetworkReader.Read(network) : new DeepFmNetwork(),
            Tasks = map.List("tasks", true, "a list of tasks", TaskReader.Read),
            Training = map.Map("training") is { } training ? SettingsReader.Training(training) : new(),
            Federated = map.Map("federated") is { } federated ? SettingsReader.Federated(federated) : new(),
            Sync = map.Map("sync") is { } sync ? SettingsReader.Sync(sync) : new(),
            Join = map.Map("join") is { } join ? SettingsReader.Join(join) : new(),
            Serving = map.Map("serving") is { } serving ? SettingsReader.Serving(serving) : new(),
        };
        map.Done();
        return spec;
    }
}
