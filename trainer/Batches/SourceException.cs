namespace Monolith.Trainer.Batches;

/// <summary>A source could not be read; the inner exception is the source's own.</summary>
internal sealed class SourceException(Exception inner) : Exception($"the examples cannot be read: {inner.Message}", inner);
