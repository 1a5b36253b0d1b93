namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// a = ρa+(1−ρ)g²; u = √(d+ε)/√(a+ε)·g; w −= lr·u; d = ρd+(1−ρ)u² (Zeiler: "ADADELTA", 2012). State: a, d.
/// </summary>
internal readonly unsafe struct AdadeltaRule(float rho, float epsilon) : IElementRule
{
    public static int Vectors => 2;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars) => vectors.Clear();

    public float Begin(float* scalars, in StepContext context) => context.LearningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        var old = T.Of(rho);
        var fresh = T.Of(1 - rho);
        first = (old * first) + (fresh * gradient * gradient);
        var step = T.Sqrt(second + T.Of(epsilon)) / T.Sqrt(first + T.Of(epsilon)) * gradient;
        value -= factor * step;
        second = (old * second) + (fresh * step * step);
    }
}
