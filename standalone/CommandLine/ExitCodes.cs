namespace Monolith.Standalone.CommandLine;

/// <summary>What the process tells its caller.</summary>
public static class ExitCodes
{
    /// <summary>It did what it was asked.</summary>
    public const int Success = 0;

    /// <summary>It could not; one line on standard error says why.</summary>
    public const int Failure = 1;

    /// <summary>The command line itself is wrong; standard error says how, and names the help.</summary>
    public const int Usage = 2;

    /// <summary>It was stopped from outside before it had finished; it stopped cleanly and lost nothing.</summary>
    public const int Interrupted = 130;
}
