namespace Monolith.Embeddings.Optimizers;

/// <summary>w = μw + (1−μ)·g; μ = 0 assigns.</summary>
internal readonly unsafe struct MovingAverageRule(float decay) : IElementRule
{
    public static int Vectors => 0;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars)
    {
    }

    public float Begin(float* scalars, in StepContext context) => context.LearningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T> => value = (T.Of(decay) * value) + (T.Of(1 - decay) * gradient);
}
