using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Monolith.Standalone.Hosting;

/// <summary>Where logs go.</summary>
internal static class Logging
{
    /// <summary>Errors alone, on standard error.</summary>
    public static void ErrorsToConsole(ILoggingBuilder builder)
    {
        ToConsole(builder);
        builder.AddFilter("Monolith", LogLevel.Error);
    }

    /// <summary>One line an event on standard error; our own from information on, others' from warnings on.</summary>
    public static void ToConsole(ILoggingBuilder builder) => builder
        .AddFilter(null, LogLevel.Warning)
        .AddFilter("Monolith", LogLevel.Information)
        // On a busy small machine these speak of scheduling, not of anything an operator can change.
        .AddFilter("Orleans.Runtime.Silo", LogLevel.Error)
        .AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error)
        // Stopping, Orleans looks for another silo to move a grain to, and calls it an error that a single process has none.
        .AddFilter("Orleans.Grain", LogLevel.Critical)
        .AddConsole(console =>
        {
            console.FormatterName = SafeConsoleFormatter.FormatterName;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
        })
        .AddConsoleFormatter<SafeConsoleFormatter, ConsoleFormatterOptions>()
        .Services.TryAddSingleton(TimeProvider.System);
}
