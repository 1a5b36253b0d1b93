namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// n = μn − lr·g; w += n, or with Nesterov's look-ahead w += −μ·n_old + (1+μ)·n (Sutskever et al.: "On the importance of
/// initialization and momentum in deep learning", 2013).
/// </summary>
internal readonly unsafe struct MomentumRule(float momentum, bool nesterov) : IElementRule
{
    public static int Vectors => 1;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars) => vectors.Clear();

    public float Begin(float* scalars, in StepContext context) => context.LearningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        var old = first;
        first = (T.Of(momentum) * old) - (factor * gradient);
        value += nesterov ? (T.Of(1 + momentum) * first) - (T.Of(momentum) * old) : first;
    }
}
