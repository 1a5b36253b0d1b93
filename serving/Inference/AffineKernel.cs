using System.Numerics;
using System.Runtime.InteropServices;

namespace Monolith.Serving.Inference;

/// <summary>Fully connected layers on rows of examples, vectorized, without allocation.</summary>
internal static class AffineKernel
{
    private const int Tile = 4;

    /// <summary>y = x·Wᵀ + b, and its positive part if asked.</summary>
    /// <param name="inputs">n × i.</param>
    /// <param name="weight">o × i.</param>
    /// <param name="bias">o.</param>
    /// <param name="outputs">Receives n × o.</param>
    /// <param name="count">n.</param>
    /// <param name="rectify">Whether negative outputs become 0.</param>
    public static void Apply(
        ReadOnlySpan<float> inputs, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> outputs, int count, bool rectify)
    {
        var (width, units) = (weight.Length / bias.Length, bias.Length);
        Span<float> four = stackalloc float[Tile];
        for (var e = 0; e < count; e++)
        {
            var x = inputs.Slice(e * width, width);
            var y = outputs.Slice(e * units, units);
            var unit = 0;
            for (; unit <= units - Tile; unit += Tile)
            {
                // Four units at a time: each input is loaded once for four multiplications.
                DotFour(x, weight.Slice(unit * width, Tile * width), four);
                for (var i = 0; i < Tile; i++)
                {
                    y[unit + i] = four[i] + bias[unit + i];
                }
            }

            for (; unit < units; unit++)
            {
                y[unit] = System.Numerics.Tensors.TensorPrimitives.Dot(x, weight.Slice(unit * width, width)) + bias[unit];
            }

            if (rectify)
            {
                System.Numerics.Tensors.TensorPrimitives.Max(y, 0f, y);
            }
        }
    }

    private static void DotFour(ReadOnlySpan<float> x, ReadOnlySpan<float> weight, Span<float> dots)
    {
        var width = x.Length;
        ref var input = ref MemoryMarshal.GetReference(x);
        ref var w0 = ref MemoryMarshal.GetReference(weight);
        ref var w1 = ref MemoryMarshal.GetReference(weight[width..]);
        ref var w2 = ref MemoryMarshal.GetReference(weight[(2 * width)..]);
        ref var w3 = ref MemoryMarshal.GetReference(weight[(3 * width)..]);
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
        var i = 0;
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var v = Vector.LoadUnsafe(ref input, (nuint)i);
            s0 = Vector.MultiplyAddEstimate(v, Vector.LoadUnsafe(ref w0, (nuint)i), s0);
            s1 = Vector.MultiplyAddEstimate(v, Vector.LoadUnsafe(ref w1, (nuint)i), s1);
            s2 = Vector.MultiplyAddEstimate(v, Vector.LoadUnsafe(ref w2, (nuint)i), s2);
            s3 = Vector.MultiplyAddEstimate(v, Vector.LoadUnsafe(ref w3, (nuint)i), s3);
        }

        dots[0] = Vector.Sum(s0);
        dots[1] = Vector.Sum(s1);
        dots[2] = Vector.Sum(s2);
        dots[3] = Vector.Sum(s3);
        for (; i < width; i++)
        {
            for (var u = 0; u < Tile; u++)
            {
                dots[u] += x[i] * weight[(u * width) + i];
            }
        }
    }
}
