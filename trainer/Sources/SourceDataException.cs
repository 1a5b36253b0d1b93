namespace Monolith.Trainer.Sources;

/// <summary>
/// What a source reads is itself wrong (a bad value in a file, a file that was cut off): trying again cannot help, so the
/// worker gives up at once with this exception.
/// </summary>
/// <param name="message">Where it is, what was found and what to do.</param>
/// <param name="inner">What went wrong underneath.</param>
public class SourceDataException(string message, Exception? inner = null) : Exception(message, inner);
