namespace Monolith.Embeddings.Optimizers;

/// <summary>One accumulator a row: n += mean(g²); w −= lr·g/√n (as in TorchRec).</summary>
internal readonly unsafe struct RowWiseAdagradRule(float initialAccumulator) : IRowRule
{
    public static int StateFloats(int dimension) => 1;

    public void Initialize(float* state, int dimension) => *state = initialAccumulator;

    public void Apply<T>(float* values, float* state, float* gradient, int dimension, in StepContext context)
        where T : struct, ILane<T>
    {
        *state += Lanes.SumOfSquares<T>(gradient, dimension) / dimension;
        Lanes.Combine<T>(1, values, -context.LearningRate / MathF.Sqrt(*state), gradient, values, dimension);
    }
}
