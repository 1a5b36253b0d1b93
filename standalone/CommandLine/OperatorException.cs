namespace Monolith.Standalone.CommandLine;

/// <summary>Something the person at the keyboard can mend. The message is whole: what was wrong, and what to do.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">What went wrong underneath; shown only with <c>--verbose</c>.</param>
public abstract class OperatorException(string message, Exception? inner = null) : Exception(message, inner);
