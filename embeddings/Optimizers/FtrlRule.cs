namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// FTRL-proximal a coordinate (McMahan et al.: "Ad Click Prediction: a View from the Trenches", 2013). State: n, z. A row
/// starts from its initializer's value w₀, which z = −w₀·(√n+β) would stand for; z starts at 0, as in Monolith.
/// </summary>
/// <remarks>
/// z is lr times the usual one, so that no weight depends on the rate of now: else a schedule, or another rate in the
/// specification, would move all of them with it (to 0 as the rate falls). With l1 = l2 = β = 0 this is Adagrad, whatever
/// becomes of the rate.
/// </remarks>
/// <param name="initialAccumulator">What n starts from.</param>
/// <param name="beta">β.</param>
/// <param name="l1">l1, times the learning rate without its schedule.</param>
/// <param name="l2">l2, times the same.</param>
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
        second = second + (factor * gradient) - ((newRoot - root) * value);
        var step = ((T.Sign(second) * T.Of(l1)) - second) / (newRoot + T.Of(beta + l2));
        value = T.WhereGreater(T.Abs(second), T.Of(l1), step, T.Of(0));
    }
}
