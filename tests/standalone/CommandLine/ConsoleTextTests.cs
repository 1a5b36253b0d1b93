using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Hosting;

namespace Monolith.Standalone.Tests.CommandLine;

public sealed class ConsoleTextTests
{
    private const string Hostile = "a\u001b[2J\u0007\u009b1m\u202e\u2066z\nforged\tx\u007f\r";

    [Theory]
    [InlineData("plain, äöü, 中文, 👩‍💻\nand a line", "plain, äöü, 中文, 👩‍💻\nand a line")]
    [InlineData(Hostile, "a\\u001b[2J\\u0007\\u009b1m\\u202e\\u2066z\nforged\tx\\u007f\r")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void Control_characters_are_shown_and_not_sent(string? text, string expected) =>
        Assert.Equal(expected, ConsoleText.Escape(text));

    [Fact]
    public void Within_a_line_no_other_line_can_begin() =>
        Assert.Equal("a\\u000ab\\u0009c\\u000d\\u2028", ConsoleText.Line("a\nb\tc\r\u2028"));

    [Fact]
    public async Task Whatever_is_written_to_the_console_is_escaped()
    {
        using var inner = new StringWriter { NewLine = "\n" };
        await using var writer = new SafeWriter(inner);
        writer.Write('\u001b');
        writer.Write("\u001b");
        writer.Write(['\u001b'], 0, 1);
        writer.Write("\u001b".AsSpan());
        writer.WriteLine("\u001b");
        writer.WriteLine(7);
        writer.Write("{0}", "\u001b");
        await writer.WriteAsync("\u001b");
        await writer.WriteAsync('\u001b');
        await writer.WriteLineAsync("\u001b");
        await writer.WriteLineAsync("\u001b".AsMemory(), TestContext.Current.CancellationToken);
        Assert.DoesNotContain('\u001b', inner.ToString());
        Assert.Equal(10, inner.ToString().Split("\\u001b").Length - 1);
    }

    [Fact]
    public async Task An_error_of_the_command_line_is_escaped()
    {
        using var output = new StringWriter();
        await MonolithCommandLine.RunAsync(["\u001b]0;title"], output, output, TestContext.Current.CancellationToken);
        Assert.DoesNotContain('\u001b', output.ToString());
        Assert.Contains("\\u001b]0;title", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_event_is_one_line_and_safe()
    {
        var formatter = new SafeConsoleFormatter(new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)));
        using var written = new StringWriter();
        var entry = new LogEntry<string>(
            LogLevel.Warning, "Monolith.Test", new EventId(7), Hostile, new InvalidOperationException("why\u001b"), (s, _) => s);
        formatter.Write(entry, null, written);
        var line = written.ToString().TrimEnd();
        Assert.StartsWith("03:04:05 warn: Monolith.Test[7] a\\u001b[2J", line, StringComparison.Ordinal);
        Assert.Contains("InvalidOperationException: why\\u001b", line, StringComparison.Ordinal);
        Assert.DoesNotContain(line, char.IsControl);
    }
}
