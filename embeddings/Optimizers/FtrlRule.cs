namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// FTRL-proximal a coordinate (McMahan et al.: "Ad Click Prediction: a View from the Trenches", 2013). State: n, z. A row
/// starts from its initializer's value w₀, which z = −w₀·(√n+β)/lr would stand for; z starts at 0, as in Monolith.
/// </summary>
/// <remarks>
/// z stands for w by way of lr, so a schedule that moved lr would move all of w with it (to 0 as the rate falls). It scales
/// the gradient's part of z instead: with l1 = l2 = β = 0 this is Adagrad under any schedule.
/// </remarks>
internal readonly unsafe struct FtrlRule(float learningRate, float initialAccumulator, float beta, float l1, float l2) : IElementRule
{
    public static int Vectors => 2;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars)
    {
        vectors[..(vectors.Length / 2)].Fill(initialAccumulator);
        vectors[(vectors.Length / 2)..].Clear();
    }

    /// <summary>The schedule's share of the learning rate.</summary>
    public float Begin(float* scalars, in StepContext context) => context.LearningRate / learningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        var root = T.Sqrt(first);
        first += gradient * gradient;
        var newRoot = T.Sqrt(first);
        second = second + (factor * gradient) - ((newRoot - root) / T.Of(learningRate) * value);
        var step = T.Of(learningRate) * ((T.Sign(second) * T.Of(l1)) - second) / (newRoot + T.Of(beta + (l2 * learningRate)));
        value = T.WhereGreater(T.Abs(second), T.Of(l1), step, T.Of(0));
    }
}
