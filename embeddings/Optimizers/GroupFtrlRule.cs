namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// FTRL-proximal whose rows as a whole go to zero: n, z and parameters as in <see cref="FtrlRule"/>; w = 0 where ‖z‖ is under
/// l1, else −(1−l1/‖z‖)·z/(√n+β+l2). State: n, z.
/// </summary>
internal readonly unsafe struct GroupFtrlRule(float initialAccumulator, float beta, float l1, float l2) : IRowRule
{
    public static int StateFloats(int dimension) => 2 * dimension;

    public void Initialize(float* state, int dimension)
    {
        new Span<float>(state, dimension).Fill(initialAccumulator);
        new Span<float>(state + dimension, dimension).Clear();
    }

    public void Apply<T>(float* values, float* state, float* gradient, int dimension, in StepContext context)
        where T : struct, ILane<T>
    {
        var done = Accumulate<T>(values, state, gradient, 0, dimension, context.LearningRate);
        Accumulate<ScalarLane>(values, state, gradient, done, dimension, context.LearningRate);
        var norm = MathF.Sqrt(Lanes.SumOfSquares<T>(state + dimension, dimension));
        var scale = norm <= l1 ? 0 : (l1 / norm) - 1;
        done = Project<T>(values, state, 0, dimension, scale);
        Project<ScalarLane>(values, state, done, dimension, scale);
    }

    private static int Accumulate<T>(float* values, float* state, float* gradient, int at, int dimension, float rate)
        where T : struct, ILane<T>
    {
        for (; at + T.Count <= dimension; at += T.Count)
        {
            var g = T.Load(gradient + at);
            var n = T.Load(state + at);
            var grown = n + (g * g);
            var z = T.Load(state + dimension + at) + (T.Of(rate) * g) - ((T.Sqrt(grown) - T.Sqrt(n)) * T.Load(values + at));
            T.Store(grown, state + at);
            T.Store(z, state + dimension + at);
        }

        return at;
    }

    private int Project<T>(float* values, float* state, int at, int dimension, float scale)
        where T : struct, ILane<T>
    {
        for (; at + T.Count <= dimension; at += T.Count)
        {
            var divisor = T.Sqrt(T.Load(state + at)) + T.Of(beta + l2);
            T.Store(T.Of(scale) * T.Load(state + dimension + at) / divisor, values + at);
        }

        return at;
    }
}
