using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// One line per log event: time (UTC), level, category and event, message, exception. What events and requests contain cannot
/// forge a line or reach the terminal as a control character.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class SafeConsoleFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "monolith";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{time.GetUtcNow():HH:mm:ss} {ShortName(logEntry.LogLevel)}: {logEntry.Category}[{logEntry.EventId.Id}] {message} {logEntry.Exception}");
        textWriter.WriteLine(ConsoleText.Line(line.TrimEnd().ReplaceLineEndings(" ")));
    }

    private static string ShortName(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
