namespace Monolith.Embeddings.Optimizers;

/// <summary>n += g²; w −= lr·g/√n (Duchi, Hazan, Singer: "Adaptive Subgradient Methods", 2011).</summary>
internal readonly unsafe struct AdagradRule(float initialAccumulator) : IElementRule
{
    public static int Vectors => 1;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars) => vectors.Fill(initialAccumulator);

    public float Begin(float* scalars, in StepContext context) => context.LearningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        first += gradient * gradient;
        value -= factor * gradient / T.Sqrt(first);
    }
}
