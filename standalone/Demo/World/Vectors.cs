using System.Numerics.Tensors;

namespace Monolith.Standalone.Demo.World;

/// <summary>The little vector arithmetic of the simulated world.</summary>
internal static class Vectors
{
    /// <summary>Scales a vector to length 1.</summary>
    public static void Normalize(Span<float> vector) => TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);

    /// <summary>a·√s + b·√(1−s), of length 1: mostly <paramref name="a"/> when <paramref name="share"/> is near 1.</summary>
    public static void Blend(ReadOnlySpan<float> a, ReadOnlySpan<float> b, float share, Span<float> into)
    {
        var (x, y) = (MathF.Sqrt(share), MathF.Sqrt(1 - share));
        for (var i = 0; i < into.Length; i++)
        {
            into[i] = (x * a[i]) + (y * b[i]);
        }

        Normalize(into);
    }
}
