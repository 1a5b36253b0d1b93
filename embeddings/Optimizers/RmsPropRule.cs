namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// w −= lr·g/(√n+1), where n = μn+(1−μ)g², or n = μn+g² when it sums (both forms of Monolith's release).
/// </summary>
internal readonly unsafe struct RmsPropRule(float momentum, bool sums) : IElementRule
{
    public static int Vectors => 1;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars) => vectors.Clear();

    public float Begin(float* scalars, in StepContext context) => context.LearningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        first = (T.Of(momentum) * first) + (T.Of(sums ? 1 : 1 - momentum) * gradient * gradient);
        value -= factor * gradient / (T.Sqrt(first) + T.Of(1));
    }
}
