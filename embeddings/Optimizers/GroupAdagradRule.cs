namespace Monolith.Embeddings.Optimizers;

/// <summary>
/// Adagrad with a group lasso: G += max g²; η = lr/(β+√G); u = w − ηg; the row is 0 where ‖u‖ is under η·l2, else
/// (1−η·l2/‖u‖)u. State: G. (In Monolith z = −u/η, which a rate that has fallen to 0 would not survive.)
/// </summary>
internal readonly unsafe struct GroupAdagradRule(float initialAccumulator, float beta, float l2) : IRowRule
{
    public static int StateFloats(int dimension) => 1;

    public void Initialize(float* state, int dimension) => *state = initialAccumulator;

    public void Apply<T>(float* values, float* state, float* gradient, int dimension, in StepContext context)
        where T : struct, ILane<T>
    {
        *state += Lanes.LargestSquare<T>(gradient, dimension);
        var rate = context.LearningRate / (beta + MathF.Sqrt(*state));
        Lanes.Combine<T>(1, values, -rate, gradient, values, dimension);
        var norm = MathF.Sqrt(Lanes.SumOfSquares<T>(values, dimension));
        var scale = norm <= rate * l2 ? 0 : 1 - (rate * l2 / norm);
        Lanes.Combine<T>(scale, values, 0, values, values, dimension);
    }
}
