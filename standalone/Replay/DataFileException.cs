namespace Monolith.Standalone.Replay;

/// <summary>A data file cannot be read; the message says which row and column, what was found and what to do.</summary>
internal sealed class DataFileException(string message, Exception? inner = null) : Exception(message, inner);
