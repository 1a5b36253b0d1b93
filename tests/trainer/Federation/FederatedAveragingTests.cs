using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Federation;
using Monolith.Trainer.Model.Optimizers;
using Monolith.Trainer.Tests.Model;

namespace Monolith.Trainer.Tests.Federation;

/// <summary>
/// Clients whose losses fᵢ(x) = ½·hᵢ·‖x − aᵢ‖² disagree: the local steps of the trainer, the rounds of the silo.
/// </summary>
public sealed class FederatedAveragingTests
{
    private const int LocalSteps = 20;
    private const float LearningRate = 0.02f;
    private static readonly float[] Curvatures = [0.2f, 1, 3];
    private static readonly float[] Centers = [-4, 1, 5];

    // Where Σ hᵢ·(x − aᵢ) = 0.
    private static readonly double Optimum = Curvatures.Zip(Centers, (h, a) => h * a).Sum() / Curvatures.Sum();

    [Fact]
    public void Plain_averaging_stalls_away_from_the_optimum_and_momentum_averaging_does_not()
    {
        var plain = Distance(new FederatedSpec { Algorithm = FederatedAlgorithm.FedAvg, LocalSteps = LocalSteps }, rounds: 600);
        var momentum = Distance(
            new FederatedSpec { Algorithm = FederatedAlgorithm.FedAvgM, LocalSteps = LocalSteps, Beta = 0.05f }, rounds: 600);
        Assert.True(plain > 0.15, $"averaging came within {plain}");
        Assert.True(momentum < plain / 5, $"momentum averaging came within {momentum}, averaging within {plain}");
    }

    [Fact]
    public void Momentum_averaging_with_beta_1_is_plain_averaging()
    {
        var plain = Distance(new FederatedSpec { Algorithm = FederatedAlgorithm.FedAvg, LocalSteps = LocalSteps }, rounds: 30);
        var momentum = Distance(
            new FederatedSpec { Algorithm = FederatedAlgorithm.FedAvgM, LocalSteps = LocalSteps, Beta = 1 }, rounds: 30);
        Assert.Equal(plain, momentum, 1e-5);
    }

    private static double Distance(FederatedSpec federated, int rounds)
    {
        var spec = SomeModel.Spec(embedded: 1, numbers: 0, width: 1, hidden: []) with
        {
            Federated = federated,
            Network = new DeepFmNetwork { Hidden = [], Optimizer = new DenseSgd { LearningRate = LearningRate } },
        };
        var server = new DenseModel(spec);
        var length = server.Parameters.Length;
        for (var round = 0; round < rounds; round++)
        {
            for (var client = 0; client < Curvatures.Length; client++)
            {
                var x = server.Parameters.ToArray();
                var optimizer = DenseOptimizer.Create(spec.Network.Optimizer, length);
                for (var step = 0; step < LocalSteps; step++)
                {
                    optimizer.Step(x, [.. x.Select(v => Curvatures[client] * (v - Centers[client]))], federated.Beta, server.Momentum);
                }

                var difference = Block.Of<float>([.. server.Parameters.ToArray().Zip(x, (a, b) => a - b)]);
                Assert.Equal(
                    PushOutcome.Applied,
                    server.Add(new RoundReport($"client {client}", server.Round, LocalSteps, difference, Block.Empty, [])));
            }

            server.CloseRound();
        }

        return server.Parameters.ToArray().Max(v => Math.Abs(v - Optimum));
    }
}
