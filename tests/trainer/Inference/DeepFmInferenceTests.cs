using CsCheck;
using Monolith.Serving.Inference;
using Monolith.Trainer.Model;
using Monolith.Trainer.Tests.Model;

namespace Monolith.Trainer.Tests.Inference;

public sealed class DeepFmInferenceTests
{
    [Fact]
    public void Serving_scores_as_the_trainer_does()
    {
        Gen.Select(SomeModel.Specs, Gen.Int[0, 70], Gen.Int).Sample(
            (spec, examples, seed) =>
            {
                var batch = SomeModel.Batch(spec, examples, seed);
                using var model = new DeepFm(spec);
                var random = new Random(seed);
                foreach (ref var value in model.Parameters)
                {
                    value += (float)(random.NextDouble() - 0.5) * 0.4f;
                }

                var (trained, served) = (new float[examples * spec.Tasks.Length], new float[examples * spec.Tasks.Length]);
                model.Score(batch.Features, batch.Ids.Rows, batch.Rows, trained);
                var inference = new DeepFmInference(spec);
                inference.Score(batch.Features, batch.Ids.Rows, batch.Rows, model.Parameters, served);
                Assert.All(trained.Zip(served), p => Assert.Equal(p.First, p.Second, 1e-5));
            },
            iter: 100, threads: 1);
    }

    [Fact]
    public void Buffers_are_reused_by_smaller_and_larger_requests_and_scoring_allocates_nothing()
    {
        var spec = SomeModel.Spec(embedded: 5, width: 16, hidden: [64, 32]);
        SomeBatch[] batches = [SomeModel.Batch(spec, 3, 1), SomeModel.Batch(spec, 100, 2), SomeModel.Batch(spec, 40, 3)];
        using var model = new DeepFm(spec);
        var dense = model.Parameters.ToArray();
        var reused = new DeepFmInference(spec);
        var scores = new float[100];
        foreach (var batch in batches.Concat(batches))
        {
            reused.Score(batch.Features, batch.Ids.Rows, batch.Rows, dense, scores);
            var fresh = new float[batch.Features.Count];
            new DeepFmInference(spec).Score(batch.Features, batch.Ids.Rows, batch.Rows, dense, fresh);
            Assert.Equal(fresh, scores[..batch.Features.Count]);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            reused.Score(batches[i % 3].Features, batches[i % 3].Ids.Rows, batches[i % 3].Rows, dense, scores);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_dense_vector_of_another_network_is_refused()
    {
        var batch = SomeModel.Batch(SomeModel.Spec(), 1, 1);
        var inference = new DeepFmInference(SomeModel.Spec());
        Assert.Throws<ArgumentOutOfRangeException>(
            () => inference.Score(batch.Features, batch.Ids.Rows, batch.Rows, new float[3], new float[1]));
    }
}
