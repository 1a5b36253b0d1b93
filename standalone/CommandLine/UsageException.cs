namespace Monolith.Standalone.CommandLine;

/// <summary>The command line asks for something that makes no sense; ends the process with <see cref="ExitCodes.Usage"/>.</summary>
/// <param name="message">What was wrong, and what is allowed.</param>
public sealed class UsageException(string message) : OperatorException(message);
