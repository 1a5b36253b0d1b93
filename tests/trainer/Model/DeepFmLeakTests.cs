namespace Monolith.Trainer.Tests.Model;

/// <summary>Native tensors are counted for the whole process, so nothing else may run beside.</summary>
[Collection("alone")]
public sealed class DeepFmLeakTests
{
    [Fact]
    public void Thousands_of_steps_leak_no_native_memory()
    {
        var spec = SomeModel.Spec(embedded: 8, width: 16, hidden: [64, 32]);
        var batch = SomeModel.Batch(spec, 64, 1);
        using var model = DeepFmTests.Randomized(spec, 3);
        var (scores, rowGradients) = (new float[64], new float[batch.Rows.Length]);
        void Steps(int count)
        {
            for (var i = 0; i < count; i++)
            {
                model.Learn(batch.Features, batch.Ids.Rows, batch.Rows, batch.Targets, scores, rowGradients);
            }
        }

        Steps(500);
        var tensors = TorchSharp.torch.Tensor.TotalCount;
        var before = Environment.WorkingSet;
        Steps(4000);
        Assert.Equal(tensors, TorchSharp.torch.Tensor.TotalCount);

        // A step's activations are 100 kB: leaking one kind of them would be far over this.
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 40_000_000);
    }
}

/// <summary>Tests that measure the process.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;
