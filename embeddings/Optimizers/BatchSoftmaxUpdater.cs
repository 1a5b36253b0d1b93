namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// Estimates the steps between two occurrences of an id: B = (1−α)B + α(step − A); A = step (Yi et al.:
/// "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", 2019). α is the learning rate; the
/// gradient is not looked at. One value, so there is nothing to vectorize. State: A, exact up to 2²⁴ steps.
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
                var last = states[i] + place.State;
                *value = ((1 - context.LearningRate) * *value) + (context.LearningRate * (context.Step - *last));
                *last = context.Step;
            }
        }
    }
}
