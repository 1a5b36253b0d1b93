using Microsoft.Extensions.Logging;

namespace Monolith.Ingestion.Tests;

/// <summary>Hands on what is logged, a line each.</summary>
internal sealed class LinesLogger<T>(Action<string> line) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => line($"{logLevel}: {formatter(state, exception)} {exception?.Message}");
}
