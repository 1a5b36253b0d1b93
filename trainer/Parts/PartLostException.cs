namespace Monolith.Trainer.Parts;

/// <summary>
/// A part does not stand where the worker left it: it was restored, or an answer was lost. The worker claims its partitions
/// again and goes back to where the parts are.
/// </summary>
internal sealed class PartLostException(string message) : Exception(message);
