using System.Numerics.Tensors;

namespace Monolith.Silos.Federation;

/// <summary>
/// The server's side of a round of FedAvg and FedAvg-M (Cheng, Huang, Wu, Yuan: "Momentum Benefits Non-IID Federated
/// Learning Simply and Provably", 2306.16504).
/// </summary>
/// <remarks>
/// With S reports of differences Δᵢ = xʳ − xᵢ after sᵢ local steps of size η over nᵢ examples:
/// <code>
/// Δ   = Σ nᵢ·Δᵢ / Σ nᵢ              (each example counts the same; with full rounds the plain mean)
/// xʳ⁺¹ = xʳ − step · Δ              (step 1 is plain averaging of models)
/// K   = Σ nᵢ·sᵢ / Σ nᵢ              (with full rounds the K of the paper)
/// gʳ⁺¹ = Δ / (η·K)                  (FedAvg-M: the mean local step in units of a gradient; γ = step·ηK)
/// </code>
/// With full rounds these are the paper's g = (1/(ηKS))·ΣΔᵢ and x − γ·g exactly. A round without steps changes nothing.
/// </remarks>
internal sealed class ServerUpdate(int length)
{
    private readonly float[] _sum = new float[length];
    private double _examples;
    private double _weightedSteps;

    /// <summary>Whether anything was learned in this round so far.</summary>
    public bool HasExamples => _examples > 0;

    /// <summary>Adds a report; the order of reports is part of the result, as sums of floats go.</summary>
    public void Add(ReadOnlySpan<float> difference, int steps, long examples)
    {
        TensorPrimitives.MultiplyAdd(difference, examples, _sum, _sum);
        _examples += examples;
        _weightedSteps += (double)examples * steps;
    }

    /// <summary>Closes the round.</summary>
    /// <param name="parameters">xʳ, becomes xʳ⁺¹.</param>
    /// <param name="momentum">gʳ, becomes gʳ⁺¹; empty without momentum.</param>
    /// <param name="step">Server step as a multiple of ηK.</param>
    /// <param name="learningRate">η.</param>
    public void Close(Span<float> parameters, Span<float> momentum, float step, float learningRate)
    {
        if (_examples > 0)
        {
            TensorPrimitives.Multiply(_sum, (float)(1 / _examples), _sum);
            TensorPrimitives.MultiplyAdd(_sum, -step, parameters, parameters);
            if (!momentum.IsEmpty)
            {
                TensorPrimitives.Multiply(_sum, (float)(_examples / (_weightedSteps * learningRate)), momentum);
            }
        }

        Array.Clear(_sum);
        (_examples, _weightedSteps) = (0, 0);
    }
}
