namespace Monolith.Serving.Scoring;

/// <summary>The parameters of a model have grown so large that scores overflow: only other parameters help.</summary>
/// <param name="model">The model's name.</param>
public sealed class DivergedModelException(string model) : Exception(
    $"the parameters of model '{model}' have diverged: scores overflow. "
    + "Lower its learning rates and start from an older snapshot or a new data folder");
