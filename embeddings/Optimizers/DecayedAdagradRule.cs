namespace Monolith.Embeddings.Optimizers;

/// <summary>Adagrad with decay apart from the gradient: w −= lr·decay·w + lr·g/√n (Loshchilov, Hutter, 2019, for Adam).</summary>
internal readonly unsafe struct DecayedAdagradRule(float initialAccumulator, float decay) : IElementRule
{
    public static int Vectors => 1;

    public static int Scalars => 0;

    public void Initialize(Span<float> vectors, Span<float> scalars) => vectors.Fill(initialAccumulator);

    public float Begin(float* scalars, in StepContext context) => context.LearningRate;

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        first += gradient * gradient;
        value -= factor * ((gradient / T.Sqrt(first)) + (T.Of(decay) * value));
    }
}
