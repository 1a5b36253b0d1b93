using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Features.Tests;

internal static class TestSpecs
{
    public static TableSpec Table(string name) => new()
    {
        Name = name,
        Segments =
        [
            new SegmentSpec { Dimension = 1, Optimizer = new FtrlOptimizer() },
            new SegmentSpec { Dimension = 4, Optimizer = new AdagradOptimizer() },
        ],
    };

    public static ModelSpec Of(params FeatureSpec[] features) => new()
    {
        Name = "test",
        PartitionBy = "user",
        Features = [.. features],
        Tables = [Table("main"), Table("other")],
        Network = new DeepFmNetwork(),
        Tasks = [new TaskSpec { Name = "click", Label = "click" }],
    };

    public static CategoricalFeature Categorical(string name, string table = "main") =>
        new() { Name = name, Source = name, Table = table };

    public static Dictionary<string, FeatureValue> Values(params (string Name, object? Value)[] values) =>
        values.ToDictionary(v => v.Name, v => Value(v.Value));

    public static FeatureValue Value(object? value) => value switch
    {
        null => new FeatureValue(),
        string text => new FeatureValue { Text = text },
        int integer => new FeatureValue { Integer = integer },
        long integer => new FeatureValue { Integer = integer },
        double number => new FeatureValue { Number = number },
        string[] list => new FeatureValue { List = new TextList { Values = { list } } },
        _ => throw new ArgumentException($"{value}", nameof(value)),
    };

    public static FeatureBatch Extract(
        ModelSpec spec, ExtractFor purpose, Dictionary<string, FeatureValue> shared, params Dictionary<string, FeatureValue>[] items)
    {
        var extractor = new FeatureExtractor(spec, purpose);
        var batch = extractor.CreateBatch();
        foreach (var item in items)
        {
            extractor.Append(shared, item, batch);
        }

        return batch;
    }
}
