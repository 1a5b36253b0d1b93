namespace Monolith.Embeddings.Optimizers;

/// <summary>A lane of one float.</summary>
internal readonly unsafe struct ScalarLane(float value) : ILane<ScalarLane>
{
    private readonly float _value = value;

    public static int Count => 1;

    public static ScalarLane operator +(ScalarLane left, ScalarLane right) => new(left._value + right._value);

    public static ScalarLane operator -(ScalarLane left, ScalarLane right) => new(left._value - right._value);

    public static ScalarLane operator *(ScalarLane left, ScalarLane right) => new(left._value * right._value);

    public static ScalarLane operator /(ScalarLane left, ScalarLane right) => new(left._value / right._value);

    public static ScalarLane Of(float value) => new(value);

    public static ScalarLane Load(float* from) => new(*from);

    public static void Store(ScalarLane lane, float* to) => *to = lane._value;

    public static ScalarLane Sqrt(ScalarLane lane) => new(MathF.Sqrt(lane._value));

    public static ScalarLane Max(ScalarLane left, ScalarLane right) => new(MathF.Max(left._value, right._value));

    public static ScalarLane Abs(ScalarLane lane) => new(MathF.Abs(lane._value));

    public static ScalarLane Sign(ScalarLane lane) => new(MathF.CopySign(1f, lane._value));

    public static ScalarLane WhereGreater(ScalarLane left, ScalarLane right, ScalarLane yes, ScalarLane no) =>
        left._value > right._value ? yes : no;

    public static float Sum(ScalarLane lane) => lane._value;

    public static float Largest(ScalarLane lane) => lane._value;
}
