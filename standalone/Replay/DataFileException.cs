using Monolith.Trainer.Sources;

namespace Monolith.Standalone.Replay;

/// <summary>A data file cannot be read; the message says which line and column, what was found and what to do.</summary>
internal sealed class DataFileException(string message, Exception? inner = null) : SourceDataException(message, inner);
