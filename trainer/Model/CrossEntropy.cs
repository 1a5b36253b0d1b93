using Monolith.Contracts.Specification;

namespace Monolith.Trainer.Model;

/// <summary>Binary cross-entropy on logits, summed over examples and tasks, by its closed-form gradient.</summary>
/// <remarks>
/// This is the one place where negative sampling is corrected. Where negatives are kept at rate r, the sample's log odds
/// are the population's minus ln r; so the loss, of positives too, is taken on <c>logit − ln r</c>, and the logit itself, as
/// served, is calibrated for the population.
/// </remarks>
internal sealed class CrossEntropy(ModelSpec spec)
{
    private readonly float[] _taskWeights = [.. spec.Tasks.Select(t => (float)t.LossWeight)];

    /// <summary>Probabilities of logits, n × t.</summary>
    public static void Probabilities(ReadOnlySpan<float> logits, Span<float> probabilities)
    {
        for (var i = 0; i < logits.Length; i++)
        {
            probabilities[i] = Sigmoid(logits[i]);
        }
    }

    /// <summary>
    /// ∂L/∂logit = weight · task weight · (σ(logit − ln r) − label), n × t; 0 where there is no label.
    /// </summary>
    public void Gradient(ReadOnlySpan<float> logits, Targets targets, Span<float> gradient)
    {
        var labels = targets.Labels;
        var rates = targets.KeepRates;
        var weights = targets.Weights;
        for (var i = 0; i < logits.Length; i++)
        {
            var task = i % _taskWeights.Length;
            var logit = rates[i] == 1 ? logits[i] : logits[i] - MathF.Log(rates[i]);
            gradient[i] = float.IsNaN(labels[i]) ? 0 : weights[i] * _taskWeights[task] * (Sigmoid(logit) - labels[i]);
        }
    }

    private static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));
}
