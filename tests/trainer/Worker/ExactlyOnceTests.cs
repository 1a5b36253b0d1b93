using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Contracts.Events;
using Monolith.Contracts.Network;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Telemetry;
using Monolith.Trainer.Tests.Model;
using Monolith.Trainer.Tests.Support;
using Monolith.Trainer.Worker;

namespace Monolith.Trainer.Tests.Worker;

/// <summary>
/// Every example reaches every part exactly once, whatever fails. Each example is told apart in each part: by an id of its
/// own in the shards, by its served score in the metrics, and by a number of its own in the dense parameters.
/// </summary>
public sealed class ExactlyOnceTests
{
    private const int Examples = 48;
    private const float LearningRate = 1e-3f;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    public async Task Each_example_reaches_each_part_once_while_calls_fail_and_parts_are_restored(int partitions, int workers)
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var (spec, source) = (Spec(microBatch: 1 + (seed % 3 * 3)), Source(partitions, seed));
            var model = new FakeModel(spec, seed) { Chaos = { Rate = 0.02 } };
            await Train(spec, model, source, workers);

            // Parts lost after the last push have learned again only now.
            model.Chaos.Rate = 0;
            await Train(spec, model, source, workers);
            Assert.Equal([], Wrong(spec, model, source));
            Assert.True(model.Chaos.Failures > 0);
        }
    }

    [Fact]
    public async Task Each_example_reaches_each_part_once_when_workers_are_killed_and_replaced_while_they_learn()
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var (spec, source) = (Spec(microBatch: 4), Source(2, seed));
            var model = new FakeModel(spec, seed) { Chaos = { Rate = 0.01 } };
            var lives = new List<Task>();
            for (var life = 0; life < 4; life++)
            {
                // The one before is not stopped: it is fenced off in the middle of what it does.
                lives.Add(Train(spec, model, source, 1));
                await Task.Yield();
            }

            await Task.WhenAll(lives);
            model.Chaos.Rate = 0;
            await Train(spec, model, source, 2);
            Assert.Equal([], Wrong(spec, model, source));
        }
    }

    [Fact]
    public async Task A_part_that_does_not_check_offsets_is_noticed()
    {
        var wrong = 0;
        // Calls race, so which ones fail is chance, and in some runs nothing comes of it.
        for (var seed = 0; seed < 100 && wrong == 0; seed++)
        {
            var (spec, source) = (Spec(microBatch: 4), Source(2, seed));
            var model = new FakeModel(spec, seed, checksOffsets: false) { Chaos = { Rate = 0.02 } };
            await Train(spec, model, source, 1);
            model.Chaos.Rate = 0;
            await Train(spec, model, source, 1);
            wrong = Wrong(spec, model, source).Count;
        }

        Assert.True(wrong > 0, "the detector sees nothing");
    }

    private static async Task Train(ModelSpec spec, FakeModel model, MemorySource source, int workers)
    {
        using var metrics = new TrainerMetrics();
        var options = new TrainerOptions
        {
            Workers = workers,
            UntouchedBatches = 5,
            RetryWait = TimeSpan.FromMilliseconds(1),
            RetryWaitMax = TimeSpan.FromMilliseconds(5),
            HistoryFailuresMax = 100_000,
        };
        using var trainer = new OnlineTrainer(
            spec, model.Parts, source, options, TimeProvider.System, NullLogger<OnlineTrainer>.Instance, metrics);
        await trainer.RunAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await Task.WhenAll(model.Chaos.Late);
    }

    // Every example has an id, a number and a served score of its own. No hidden layer and plain SGD: the sum of a number's
    // weight's steps then says how often its example was learned.
    private static ModelSpec Spec(int microBatch)
    {
        var spec = SomeModel.Spec(embedded: 1, numbers: Examples, width: 1, hidden: [], seed: 3);
        return spec with
        {
            Training = new TrainingSpec { MicroBatch = microBatch },
            Network = new DeepFmNetwork { Hidden = [], Optimizer = new DenseSgd { LearningRate = LearningRate } },
            Federated = new FederatedSpec { LocalSteps = 3 },
        };
    }

    private static MemorySource Source(int partitions, int seed)
    {
        var random = new Random(seed);
        var source = new MemorySource(partitions, isHistory: true);
        for (var e = 0; e < Examples;)
        {
            var group = new ExampleGroup { EmittedTimeMs = 1000 + e };
            for (var n = random.Next(1, 4); n > 0 && e < Examples; n--, e++)
            {
                var example = new Example { ServedScore = e, Labels = { new Label { Present = true } } };
                example.Features["f0"] = new FeatureValue { Text = e.ToString(CultureInfo.InvariantCulture) };
                example.Features[$"n{e}"] = new FeatureValue { Number = 1 };
                group.Examples.Add(example);
            }

            source.Append(random.Next(partitions), group, hole: random.Next(3));
        }

        return source;
    }

    private static List<string> Wrong(ModelSpec spec, FakeModel model, MemorySource source)
    {
        List<string> wrong = [];
        var occurrences = model.Shards.SelectMany(s => s.Occurrences.Values).ToArray();
        if (occurrences.Length != Examples || Array.Exists(occurrences, n => n != 1))
        {
            wrong.Add($"shards: {occurrences.Length} ids, {occurrences.Sum()} occurrences");
        }

        if (model.Metrics.Examples.Count != Examples || model.Metrics.Examples.Values.Any(n => n != 1))
        {
            wrong.Add($"metrics: {model.Metrics.Examples.Count} examples, {model.Metrics.Examples.Values.Sum()} times");
        }

        // With batches of one group, a step over n examples moves the weight of each one's number by η·σ/n (its label is 0).
        if (spec.Training.MicroBatch == 1)
        {
            var layout = DenseLayout.Of(spec);
            var fresh = new float[layout.Length];
            layout.Initialize(spec, fresh);
            var (weights, head) = (layout.Tensors.Single(t => t.Name == "numeric.weight"), layout.Tensors.Single(t => t.Name == "head.weight"));
            foreach (var (example, size) in source.Groups.SelectMany(g => g.Examples.Select(e => ((int)e.ServedScore, g.Examples.Count))))
            {
                var score = 1 / (1 + Math.Exp(-fresh[0] - fresh[head.Offset + 1 + example]));
                var weight = weights.Offset + example;
                var times = (fresh[weight] - model.Federation.Model.Parameters[weight]) / (LearningRate * score / size);
                if (times is < 0.9 or > 1.1)
                {
                    wrong.Add($"dense: example {example} was learned {times:F2} times");
                }
            }
        }

        return wrong;
    }
}
