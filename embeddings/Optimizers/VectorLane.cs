using System.Numerics;

namespace Monolith.Embeddings.Optimizers;

/// <summary>A lane as wide as the machine's vectors.</summary>
internal readonly unsafe struct VectorLane(Vector<float> value) : ILane<VectorLane>
{
    private readonly Vector<float> _value = value;

    public static int Count => Vector<float>.Count;

    public static VectorLane operator +(VectorLane left, VectorLane right) => new(left._value + right._value);

    public static VectorLane operator -(VectorLane left, VectorLane right) => new(left._value - right._value);

    public static VectorLane operator *(VectorLane left, VectorLane right) => new(left._value * right._value);

    public static VectorLane operator /(VectorLane left, VectorLane right) => new(left._value / right._value);

    public static VectorLane Of(float value) => new(new Vector<float>(value));

    public static VectorLane Load(float* from) => new(Vector.Load(from));

    public static void Store(VectorLane lane, float* to) => Vector.Store(lane._value, to);

    public static VectorLane Sqrt(VectorLane lane) => new(Vector.SquareRoot(lane._value));

    public static VectorLane Max(VectorLane left, VectorLane right) => new(Vector.Max(left._value, right._value));

    public static VectorLane Abs(VectorLane lane) => new(Vector.Abs(lane._value));

    public static VectorLane Sign(VectorLane lane) => new(Vector.CopySign(Vector<float>.One, lane._value));

    public static VectorLane WhereGreater(VectorLane left, VectorLane right, VectorLane yes, VectorLane no) =>
        new(Vector.ConditionalSelect(Vector.GreaterThan(left._value, right._value), yes._value, no._value));

    public static float Sum(VectorLane lane) => Vector.Sum(lane._value);

    public static float Largest(VectorLane lane)
    {
        var largest = lane._value[0];
        for (var i = 1; i < Count; i++)
        {
            largest = MathF.Max(largest, lane._value[i]);
        }

        return largest;
    }
}
