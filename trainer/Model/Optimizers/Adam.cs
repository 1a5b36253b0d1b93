using System.Numerics;
using System.Runtime.InteropServices;
using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Model.Optimizers;

/// <summary>
/// Adam (Kingma and Ba, 2015, algorithm 1): m = β₁m + (1−β₁)g; v = β₂v + (1−β₂)g²;
/// u = (m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + ε).
/// </summary>
internal sealed class Adam(AdamOptimizer spec, int length) : DenseOptimizer(length, spec.LearningRate)
{
    // Beyond this a float cannot count on by ones, and both corrections are 1 long before.
    private const float MostSteps = 1 << 24;

    // t, then m, then v.
    private readonly float[] _state = new float[1 + (2 * length)];

    public override ReadOnlySpan<float> State => _state;

    protected override void Direction(ReadOnlySpan<float> gradient, Span<float> direction)
    {
        var t = _state[0] = Math.Min(_state[0] + 1, MostSteps);
        var first = (float)(1 / (1 - Math.Pow(spec.Beta1, t)));
        var second = (float)(1 / (1 - Math.Pow(spec.Beta2, t)));
        var length = direction.Length;
        ref var g = ref MemoryMarshal.GetReference(gradient[..length]);
        ref var u = ref MemoryMarshal.GetReference(direction);
        ref var m = ref MemoryMarshal.GetReference(_state.AsSpan(1, length));
        ref var v = ref MemoryMarshal.GetReference(_state.AsSpan(1 + length, length));
        nuint i = 0;
        for (; i + (nuint)Vector<float>.Count <= (nuint)length; i += (nuint)Vector<float>.Count)
        {
            var gi = Vector.LoadUnsafe(ref g, i);
            var mi = (Vector.LoadUnsafe(ref m, i) * spec.Beta1) + (gi * (1 - spec.Beta1));
            var vi = (Vector.LoadUnsafe(ref v, i) * spec.Beta2) + (gi * gi * (1 - spec.Beta2));
            mi.StoreUnsafe(ref m, i);
            vi.StoreUnsafe(ref v, i);
            (mi * first / (Vector.SquareRoot(vi * second) + new Vector<float>(spec.Epsilon))).StoreUnsafe(ref u, i);
        }

        for (var j = (int)i; j < length; j++)
        {
            var gj = gradient[j];
            var mj = _state[1 + j] = (_state[1 + j] * spec.Beta1) + (gj * (1 - spec.Beta1));
            var vj = _state[1 + length + j] = (_state[1 + length + j] * spec.Beta2) + (gj * gj * (1 - spec.Beta2));
            direction[j] = mj * first / (MathF.Sqrt(vj * second) + spec.Epsilon);
        }
    }

    protected override void RestoreState(ReadOnlySpan<float> state)
    {
        Array.Clear(_state);
        state.CopyTo(_state);
    }
}
