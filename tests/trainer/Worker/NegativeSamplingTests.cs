using System.Globalization;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Sources;
using Monolith.Trainer.Tests.Model;
using Monolith.Trainer.Tests.Support;

namespace Monolith.Trainer.Tests.Worker;

/// <summary>The trainer on real grains, over one stream whole and with a fifth of its negatives.</summary>
public sealed class NegativeSamplingTests
{
    private const int Requests = 8000;
    private const int Items = 8;
    private const float Rate = 0.2f;

    private static readonly ModelSpec Spec = SomeModel.Spec(embedded: 1, numbers: 0, width: 4, hidden: [8]) with
    {
        Training = new TrainingSpec { MicroBatch = 16 },
        Federated = new FederatedSpec { LocalSteps = 20 },
        Network = new DeepFmNetwork { Hidden = [8], Optimizer = new AdamOptimizer { LearningRate = 0.002f } },
    };

    [Fact]
    public async Task What_is_served_is_calibrated_the_same_with_and_without_sampling()
    {
        var whole = await Learn(keep: 1, positive: 1, negative: 1);
        var sampled = await Learn(Rate, positive: Rate, negative: Rate);
        Assert.InRange(whole.Served, 0.97, 1.03);
        Assert.InRange(sampled.Served / whole.Served, 0.97, 1.03);

        // And so are the figures that are shown.
        Assert.InRange(sampled.Shown.Calibration / whole.Shown.Calibration, 0.97, 1.03);
        Assert.InRange(sampled.Shown.LogLoss / whole.Shown.LogLoss, 0.97, 1.03);
        Assert.InRange(sampled.Shown.Auc - whole.Shown.Auc, -0.02, 0.02);
        Assert.InRange(sampled.Shown.Examples, whole.Shown.Examples / 5, whole.Shown.Examples / 2);
    }

    [Theory]
    [InlineData(1, 1, 2, 6)] // left out: the sample's own odds
    [InlineData(Rate * Rate, Rate * Rate, 0.1, 0.5)] // applied twice
    [InlineData(1, Rate, 1.05, 6)] // applied to negatives alone
    public async Task Any_other_correction_is_seen(float positive, float negative, double from, double to)
        => Assert.InRange((await Learn(Rate, positive, negative)).Served, from, to);

    private static async Task<(double Served, Contracts.Grains.Quality Shown)> Learn(float keep, float positive, float negative)
    {
        var served = new ServedCalibration();
        await using var silo = new TrainedSilo(Spec, History(keep, positive, negative), workers: 1, served);
        await silo.Learn();
        Assert.Equal(Requests / 2 * Items, served.Examples);
        return (served.Value, await silo.Quality());
    }

    private static double TruthOf(int item) => item % 2 == 0 ? 0.04 : 0.2;

    /// <summary>Clicks on lists; from its half on, each list is followed by one without labels, which is only scored.</summary>
    private static MemorySource History(float keep, float positive, float negative)
    {
        var task = Spec.Tasks[0] with { KeepNegatives = keep };
        var sampling = new NegativeSampling(Spec, task);
        var random = new Random(3);
        var source = new MemorySource(1, isHistory: true);
        for (var request = 0; request < Requests; request++)
        {
            var (learned, asked) = (Group($"r{request}", request), Group("ask", request));
            for (var i = 0; i < Items; i++)
            {
                var item = random.Next(40);
                var clicked = random.NextDouble() < TruthOf(item);
                asked.Examples.Add(Shown(item, new Label()));
                if (clicked || sampling.Keeps(Encoding.UTF8.GetBytes(learned.RequestId), Encoding.UTF8.GetBytes($"{i}")))
                {
                    learned.Examples.Add(Shown(item, new Label { Present = true, Value = clicked ? 1 : 0, KeepRate = clicked ? positive : negative }));
                }
            }

            if (learned.Examples.Count > 0)
            {
                source.Append(0, learned);
            }

            if (request >= Requests / 2)
            {
                source.Append(0, asked);
            }
        }

        return source;
    }

    private static ExampleGroup Group(string name, int request)
        => new() { RequestId = name, EventTimeMs = 1_700_000_000_000 + request, EmittedTimeMs = request };

    private static Example Shown(int item, Label label) => new()
    {
        ItemId = item.ToString(CultureInfo.InvariantCulture),
        Features = { ["f0"] = new FeatureValue { Text = item.ToString(CultureInfo.InvariantCulture) } },
        Labels = { label },
    };

    private sealed class ServedCalibration : IScoreSink
    {
        private double _scores;
        private double _truth;

        public int Examples { get; private set; }

        public double Value => _scores / _truth;

        public void Scored(int partition, in ExampleRecord record, ReadOnlySpan<float> scores)
        {
            for (var e = 0; record.Group.RequestId == "ask" && e < scores.Length; e++)
            {
                Examples++;
                _scores += scores[e];
                _truth += TruthOf(int.Parse(record.Group.Examples[e].ItemId, CultureInfo.InvariantCulture));
            }
        }
    }
}
