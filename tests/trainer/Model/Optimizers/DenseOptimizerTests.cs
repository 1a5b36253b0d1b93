using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Model.Optimizers;
using Monolith.Trainer.Native;
using TorchSharp;

namespace Monolith.Trainer.Tests.Model.Optimizers;

public sealed class DenseOptimizerTests
{
    private static readonly Gen<float[]> Gradient = Gen.Float[-3, 3].Array[21];

    [Fact]
    public void Adam_steps_as_torch_does()
    {
        TorchRuntime.Load();
        Gradient.Array[30].Sample(
            gradients =>
            {
                using var scope = torch.NewDisposeScope();
                using var theirs = new TorchSharp.Modules.Parameter(torch.zeros(21));
                using var torchs = torch.optim.Adam([theirs], lr: 0.01, beta1: 0.8, beta2: 0.99, eps: 1e-6);
                var ours = new float[21];
                var adam = DenseOptimizer.Create(
                    new AdamOptimizer { LearningRate = 0.01f, Beta1 = 0.8f, Beta2 = 0.99f, Epsilon = 1e-6f }, 21);
                foreach (var gradient in gradients)
                {
                    theirs.grad = torch.tensor(gradient);
                    torchs.step();
                    adam.Step(ours, gradient, 1, []);
                }

                Assert.All(theirs.data<float>().ToArray().Zip(ours), p => Assert.Equal(p.First, p.Second, 1e-5));
            },
            iter: 20, threads: 1);
    }

    [Fact]
    public void Sgd_subtracts_the_gradient()
    {
        float[] x = [1, 2];
        DenseOptimizer.Create(new DenseSgd { LearningRate = 0.5f }, 2).Step(x, [1, -2], 1, []);
        Assert.Equal([0.5f, 3], x);
    }

    [Fact]
    public void The_servers_momentum_enters_after_preconditioning()
    {
        // Adam's first direction is the sign of the gradient, whatever its size; the momentum is added to that as it is.
        float[] x = [0, 0];
        DenseOptimizer.Create(new AdamOptimizer { LearningRate = 0.1f }, 2).Step(x, [1000, -0.01f], 0.25f, [2, 4]);
        Assert.Equal(-0.1 * ((0.25 * 1) + (0.75 * 2)), x[0], 1e-5);
        Assert.Equal(-0.1 * ((0.25 * -1) + (0.75 * 4)), x[1], 1e-5);
    }

    [Fact]
    public void A_restored_optimizer_goes_on_as_if_it_had_never_stopped()
    {
        Gradient.Array[10].Sample(gradients =>
        {
            var spec = new AdamOptimizer();
            var (whole, first, second) = (DenseOptimizer.Create(spec, 21), DenseOptimizer.Create(spec, 21), DenseOptimizer.Create(spec, 21));
            var (x, y) = (new float[21], new float[21]);
            foreach (var (i, gradient) in gradients.Index())
            {
                if (i == 5)
                {
                    Assert.True(second.TryRestore(first.State));
                }

                whole.Step(x, gradient, 1, []);
                (i < 5 ? first : second).Step(y, gradient, 1, []);
            }

            Assert.Equal(x, y);
        });
    }

    [Fact]
    public void A_state_of_another_optimizer_is_not_taken_and_leaves_a_fresh_one()
    {
        var adam = DenseOptimizer.Create(new AdamOptimizer(), 2);
        adam.Step(new float[2], [1, 1], 1, []);
        Assert.False(adam.TryRestore(new float[3]));
        Assert.All(adam.State.ToArray(), s => Assert.Equal(0, s));
        Assert.True(adam.TryRestore([]));
    }
}
