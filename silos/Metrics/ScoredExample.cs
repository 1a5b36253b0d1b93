namespace Monolith.Silos.Metrics;

/// <summary>A score beside what happened.</summary>
/// <param name="Score">Probability.</param>
/// <param name="Label">0 or 1.</param>
/// <param name="Weight">How many examples it stands for: its weight, a negative's over the rate at which negatives were kept.</param>
public readonly record struct ScoredExample(float Score, float Label, float Weight)
{
    /// <summary>Whether it happened.</summary>
    public bool IsPositive => Label > 0.5f;

    /// <summary>Log loss of the score; scores are kept 10⁻⁷ away from 0 and 1.</summary>
    public double LogLoss
    {
        get
        {
            var p = Math.Clamp((double)Score, 1e-7, 1 - 1e-7);
            return -Math.Log(IsPositive ? p : 1 - p);
        }
    }
}
