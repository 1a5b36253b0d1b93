namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// Adagrad with a group lasso: G += max g²; η = lr/(β+√G); z = g − w/η; the row is 0 where ‖z‖ is under l2, else
/// −η(1−l2/‖z‖)z. State: G.
/// </summary>
internal readonly unsafe struct GroupAdagradRule(float initialAccumulator, float beta, float l2) : IRowRule
{
    public static int StateFloats(int dimension) => 1;

    public void Initialize(float* state, int dimension) => *state = initialAccumulator;

    public void Apply<T>(float* values, float* state, float* gradient, int dimension, in StepContext context)
        where T : struct, ILane<T>
    {
        *state += Lanes.LargestSquare<T>(gradient, dimension);
        var divisor = beta + MathF.Sqrt(*state);
        if (divisor == 0)
        {
            // Nothing but zero gradients so far, from an accumulator and a β of zero.
            return;
        }

        var rate = context.LearningRate / divisor;
        Lanes.Combine<T>(1, gradient, -1 / rate, values, gradient, dimension);
        var norm = MathF.Sqrt(Lanes.SumOfSquares<T>(gradient, dimension));
        var scale = norm <= l2 ? 0 : -rate * (1 - (l2 / norm));
        Lanes.Combine<T>(scale, gradient, 0, gradient, values, dimension);
    }
}
