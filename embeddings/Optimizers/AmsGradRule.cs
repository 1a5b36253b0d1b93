namespace Monolith.Embeddings.Optimizers;

/// <summary>Adam whose second moment never falls (Reddi, Kale, Kumar: "On the Convergence of Adam and Beyond", 2018).</summary>
internal readonly unsafe struct AmsGradRule(float beta1, float beta2, float epsilon, bool nesterov) : IElementRule
{
    public static int Vectors => 3;

    public static int Scalars => 2;

    public void Initialize(Span<float> vectors, Span<float> scalars)
    {
        vectors.Clear();
        scalars.Fill(1);
    }

    public float Begin(float* scalars, in StepContext context) => AdamRule.Correct(scalars, beta1, beta2, context.LearningRate);

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        AdamRule.Moments(gradient, beta1, beta2, ref first, ref second);
        third = T.Max(third, second);
        value -= factor * AdamRule.Numerator(gradient, first, beta1, nesterov) / (T.Sqrt(third) + T.Of(epsilon));
    }
}
