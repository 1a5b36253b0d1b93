namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// Adam (Kingma, Ba: "Adam: A Method for Stochastic Optimization", 2015). State: m, v, and for the row β1ᵗ and β2ᵗ, since
/// rows have taken different numbers of steps.
/// </summary>
internal readonly unsafe struct AdamRule(float beta1, float beta2, float epsilon, bool nesterov) : IElementRule
{
    public static int Vectors => 2;

    public static int Scalars => 2;

    public void Initialize(Span<float> vectors, Span<float> scalars)
    {
        vectors.Clear();
        scalars.Fill(1);
    }

    public float Begin(float* scalars, in StepContext context) => Correct(scalars, beta1, beta2, context.LearningRate);

    public void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>
    {
        Moments(gradient, beta1, beta2, ref first, ref second);
        value -= factor * Numerator(gradient, first, beta1, nesterov) / (T.Sqrt(second) + T.Of(epsilon));
    }

    /// <summary>Advances the powers; the learning rate with both corrections.</summary>
    internal static float Correct(float* powers, float beta1, float beta2, float learningRate)
    {
        powers[0] *= beta1;
        powers[1] *= beta2;
        return learningRate * MathF.Sqrt(1 - powers[1]) / (1 - powers[0]);
    }

    internal static void Moments<T>(T gradient, float beta1, float beta2, ref T first, ref T second)
        where T : struct, ILane<T>
    {
        first = (T.Of(beta1) * first) + (T.Of(1 - beta1) * gradient);
        second = (T.Of(beta2) * second) + (T.Of(1 - beta2) * gradient * gradient);
    }

    internal static T Numerator<T>(T gradient, T first, float beta1, bool nesterov)
        where T : struct, ILane<T> =>
        nesterov ? (T.Of(1 - beta1) * gradient) + (T.Of(beta1) * first) : first;
}
