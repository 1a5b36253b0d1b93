using Microsoft.Extensions.Logging;

namespace Monolith.Silos.Tests.Support;

/// <summary>Shows warnings and errors of the product with the test that caused them.</summary>
public sealed class TestLogProvider : ILoggerProvider
{
    // Of the test that started the host: grains run outside of its context.
    private readonly ITestOutputHelper? _output = TestContext.Current.TestOutputHelper;

    public ILogger CreateLogger(string categoryName) => new TestLogger(categoryName, _output);

    public void Dispose()
    {
    }

    private sealed class TestLogger(string category, ITestOutputHelper? output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Write($"{logLevel} {category}: {formatter(state, exception)} {exception}");
            }
        }

        private void Write(string line)
        {
            try
            {
                output?.WriteLine(line);
            }
            catch (InvalidOperationException)
            {
                // The test is over; what its silo still says is nobody's.
            }
        }
    }
}
