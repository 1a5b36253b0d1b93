namespace Monolith.Embeddings.Optimizers;

/// <summary>What all rows of a batch share.</summary>
/// <param name="LearningRate">The learning rate now.</param>
/// <param name="Step">The table's step, from 1.</param>
internal readonly record struct StepContext(float LearningRate, long Step);
