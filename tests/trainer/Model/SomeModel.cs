using CsCheck;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Trainer.Model;

namespace Monolith.Trainer.Tests.Model;

/// <summary>Specifications and batches for tests, made by a seed.</summary>
internal static class SomeModel
{
    public static TableSpec Table(string name, int width) => new()
    {
        Name = name,
        Segments =
        [
            new SegmentSpec { Dimension = 1, Optimizer = new FtrlOptimizer() },
            new SegmentSpec
            {
                Dimension = width,
                Initializer = new UniformInitializer(-0.01f, 0.01f),
                Optimizer = new AdagradOptimizer(),
            },
        ],
    };

    /// <summary>Random shapes: features single- and multi-valued under each combiner, numbers, layers, tasks, tables.</summary>
    public static Gen<ModelSpec> Specs { get; } =
        from embedded in Gen.Int[1, 5]
        from numbers in Gen.Int[0, 3]
        from width in Gen.Int[1, 19]
        from hidden in Gen.Int[1, 33].Array[0, 3]
        from tasks in Gen.Int[1, 3]
        from tables in Gen.Int[1, 3]
        from seed in Gen.ULong
        select Spec(embedded, numbers, width, hidden, tasks, tables, seed);

    public static ModelSpec Spec(
        int embedded = 3, int numbers = 1, int width = 4, int[]? hidden = null, int tasks = 1, int tables = 1, ulong seed = 1,
        int shards = 4) => new()
        {
            Name = "some",
            Seed = seed,
            PartitionBy = "f0",
            Shards = shards,
            Tables = [.. Enumerable.Range(0, tables).Select(t => Table($"t{t}", width))],
            Features =
            [
                .. Enumerable.Range(0, embedded).Select(FeatureSpec (f) => new CategoricalFeature
                {
                    Name = $"f{f}",
                    Source = $"f{f}",
                    Separator = f % 2 == 1 ? "|" : null,
                    Combiner = (Combiner)(f % 3),
                    Table = $"t{f % tables}",
                }),
                .. Enumerable.Range(0, numbers).Select(FeatureSpec (n) => new NumericFeature { Name = $"n{n}", Source = $"n{n}" }),
            ],
            Network = new DeepFmNetwork { Hidden = [.. hidden ?? [8, 4]] },
            Tasks = [.. Enumerable.Range(0, tasks).Select(t => new TaskSpec
            {
                Name = $"task{t}", Label = $"task{t}", BaseRate = 0.1 + (0.2 * t), LossWeight = 1 + t,
            })],
        };

    /// <summary>A group of examples with random values, the odd one missing.</summary>
    public static ExampleGroup Group(ModelSpec spec, Random random, int examples, int vocabulary = 20)
    {
        var group = new ExampleGroup { RequestId = $"r{random.Next()}", EventTimeMs = 1_000_000 + random.Next(1000) };
        for (var e = 0; e < examples; e++)
        {
            var example = new Example { ItemId = $"i{e}", Weight = random.Next(4) == 0 ? 2 : 0 };
            foreach (var feature in spec.Features)
            {
                if (random.Next(8) > 0)
                {
                    example.Features[feature.Name] = feature is NumericFeature
                        ? new FeatureValue { Number = (random.NextDouble() * 4) - 2 }
                        : new FeatureValue { Text = Text((CategoricalFeature)feature, random, vocabulary) };
                }
            }

            example.Labels.AddRange(spec.Tasks.Select(_ => new Label
            {
                Present = random.Next(6) > 0,
                Value = random.Next(3) == 0 ? 1 : 0,
                KeepRate = random.Next(3) == 0 ? 0.25f : 0,
                Weight = random.Next(3) == 0 ? 1.5f : 0,
            }));
            group.Examples.Add(example);
        }

        return group;
    }

    private static string Text(CategoricalFeature feature, Random random, int vocabulary) =>
        string.Join('|', Enumerable.Range(0, feature.Separator is null ? 1 : random.Next(1, 5)).Select(_ => $"v{random.Next(vocabulary)}"));

    /// <summary>A batch of examples with rows and parameters to match.</summary>
    public static SomeBatch Batch(ModelSpec spec, int examples, int seed, int vocabulary = 20)
    {
        var random = new Random(seed);
        var extractor = new FeatureExtractor(spec, ExtractFor.Training);
        var batch = extractor.CreateBatch();
        var targets = new Targets(spec.Tasks.Length);
        var group = Group(spec, random, examples, vocabulary);
        foreach (var example in group.Examples)
        {
            extractor.Append(group.Shared, example.Features, batch);
            targets.Add(example);
        }

        var ids = new BatchIds(extractor, spec.Shards);
        ids.Build(batch);
        var rows = new float[ids.Count * spec.Tables[0].Dimension];
        foreach (ref var value in rows.AsSpan())
        {
            value = (float)(random.NextDouble() - 0.5);
        }

        return new SomeBatch(batch, ids, rows, targets);
    }

}

/// <param name="Features">Examples.</param>
/// <param name="Ids">Their rows' places.</param>
/// <param name="Rows">Distinct rows × (1 + k).</param>
/// <param name="Targets">Labels.</param>
internal sealed record SomeBatch(FeatureBatch Features, BatchIds Ids, float[] Rows, Targets Targets);
