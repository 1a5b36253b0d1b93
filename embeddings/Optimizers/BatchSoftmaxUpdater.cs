namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// Estimates the steps between two occurrences of an id: B = (1−α)B + α(step − A); A = step (Yi et al.:
/// "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", 2019). α is the learning rate; the
/// gradient is not looked at. One value, so there is nothing to vectorize. State: A, a whole number modulo 2³² in the place
/// of a float, which would count no single steps beyond 2²⁴.
/// </summary>
internal sealed unsafe class BatchSoftmaxUpdater() : SegmentUpdater(dimension: 1)
{
    public override int StateFloats => 1;

    public override void InitializeState(float* state) => *state = 0;

    public override void Apply(float** values, float** states, float** gradients, int count, SegmentPlace place, in StepContext context)
    {
        for (var i = 0; i < count; i++)
        {
            if (values[i] != null)
            {
                var value = values[i] + place.Values;
                var last = (uint*)(states[i] + place.State);
                *value = ((1 - context.LearningRate) * *value) + (context.LearningRate * ((uint)context.Step - *last));
                *last = (uint)context.Step;
            }
        }
    }
}
