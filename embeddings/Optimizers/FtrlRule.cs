namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// FTRL-proximal a coordinate (McMahan et al.: "Ad Click Prediction: a View from the Trenches", 2013). State: n, z. A row
/// starts from its initializer's value w₀, which z = −w₀·(√n+β)/lr would stand for; z starts at 0, as in Monolith.
/// </summary>
internal readonly unsafe struct FtrlRule(float initialAccumulator, float beta, float l1, float l2) : IElementRule
{
    public static int Vectors => 2;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars)
    {
        vectors[..(vectors.Length / 2)].Fill(initialAccumulator);
        vectors[(vectors.Length / 2)..].Clear();
    }

    public float Begin(float* scalars, in StepContext context) => context.LearningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        var root = T.Sqrt(first);
        first += gradient * gradient;
        var newRoot = T.Sqrt(first);
        second = second + gradient - ((newRoot - root) / factor * value);
        var step = factor * ((T.Sign(second) * T.Of(l1)) - second) / (newRoot + T.Of(beta) + (T.Of(l2) * factor));
        value = T.WhereGreater(T.Abs(second), T.Of(l1), step, T.Of(0));
    }
}
