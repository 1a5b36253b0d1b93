using System.Collections.Concurrent;
using System.Globalization;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Tests.Model;
using Monolith.Trainer.Tests.Support;

namespace Monolith.Trainer.Tests.Worker;

/// <summary>The trainer on real grains, over a history with something to learn in it.</summary>
public sealed class RealGrainsTests
{
    private static readonly ModelSpec Spec = SomeModel.Spec(embedded: 2, numbers: 1, width: 4, hidden: [8]) with
    {
        Training = new TrainingSpec { MicroBatch = 16 },
        Federated = new FederatedSpec { LocalSteps = 4 },
        Network = new DeepFmNetwork { Hidden = [8], Optimizer = new AdamOptimizer { LearningRate = 0.005f } },
    };

    [Fact]
    public async Task One_worker_gives_the_same_figures_and_parameters_on_every_run()
    {
        await using var first = new TrainedSilo(Spec, History(partitions: 1), workers: 1);
        await using var second = new TrainedSilo(Spec, History(partitions: 1), workers: 1);
        await first.Learn();
        await second.Learn();
        Assert.Equal(await first.Quality(), await second.Quality());
        Assert.Equal(await first.Dense(), await second.Dense());
        Assert.InRange((await first.Quality()).Auc, 0.6, 1);
    }

    [Fact]
    public async Task Two_workers_meet_in_rounds_and_learn_every_example_once()
    {
        await using var silo = new TrainedSilo(Spec, History(partitions: 3), workers: 2);
        await silo.Learn();
        var quality = await silo.Quality();
        Assert.Equal(Requests * Items, quality.Examples);
        Assert.InRange(quality.Auc, 0.6, 1);
    }

    [Fact]
    public async Task A_score_never_depends_on_labels_of_its_own_request_or_of_later_ones()
    {
        const int changedFrom = 200;
        var (before, after) = (new Sink(), new Sink());
        await using var first = new TrainedSilo(Spec, History(partitions: 1), workers: 1, before);
        await using var second = new TrainedSilo(Spec, History(partitions: 1, flipFrom: changedFrom), workers: 1, after);
        await first.Learn();
        await second.Learn();
        Assert.Equal(Requests, before.Scores.Count);
        for (var request = 0; request <= changedFrom; request++)
        {
            Assert.Equal(before.Scores[request], after.Scores[request]);
        }

        // And it does depend on earlier ones, or the test would see nothing.
        Assert.NotEqual(before.Scores[Requests - 1], after.Scores[Requests - 1]);
    }

    private const int Requests = 400;
    private const int Items = 5;

    // Odd items are clicked more.
    private static MemorySource History(int partitions, int flipFrom = int.MaxValue)
    {
        var random = new Random(11);
        var source = new MemorySource(partitions, isHistory: true);
        for (var request = 0; request < Requests; request++)
        {
            var group = new ExampleGroup { RequestId = $"{request}", EventTimeMs = 1_700_000_000_000 + request, EmittedTimeMs = request };
            for (var i = 0; i < Items; i++)
            {
                var item = random.Next(40);
                var clicked = random.NextDouble() < (item % 2 == 0 ? 0.05 : 0.4);
                group.Examples.Add(new Example
                {
                    Features =
                    {
                        ["f0"] = new FeatureValue { Text = item.ToString(CultureInfo.InvariantCulture) },
                        ["f1"] = new FeatureValue { Text = $"{random.Next(5)}|{random.Next(5)}" },
                        ["n0"] = new FeatureValue { Number = random.NextDouble() },
                    },
                    Labels = { new Label { Present = true, Value = clicked != request >= flipFrom ? 1 : 0 } },
                });
            }

            source.Append(request % partitions, group);
        }

        return source;
    }

    private sealed class Sink : IScoreSink
    {
        public ConcurrentDictionary<int, float[]> Scores { get; } = [];

        public void Scored(int partition, in ExampleRecord record, ReadOnlySpan<float> scores) =>
            Scores[int.Parse(record.Group.RequestId, CultureInfo.InvariantCulture)] = scores.ToArray();
    }
}
