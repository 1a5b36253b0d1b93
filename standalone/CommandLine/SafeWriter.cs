using System.Text;

namespace Monolith.Standalone.CommandLine;

/// <summary>
/// Passes text on to a console after <see cref="ConsoleText.Escape(string?)"/>, so that no command has to think of it. Values
/// within a line are escaped where the line is put together, with <see cref="ConsoleText.Line"/>.
/// </summary>
/// <param name="inner">Where the text goes; not disposed here.</param>
internal sealed class SafeWriter(TextWriter inner) : TextWriter(inner.FormatProvider)
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value)
    {
        if (ConsoleText.IsUnsafe(value))
        {
            inner.Write(ConsoleText.Escape(value.ToString()));
        }
        else
        {
            inner.Write(value);
        }
    }

    public override void Write(string? value) => inner.Write(ConsoleText.Escape(value));

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    public override void WriteLine(string? value) => inner.WriteLine(ConsoleText.Escape(value));

    public override Task WriteAsync(char value) => WriteAsync(value.ToString());

    public override Task WriteAsync(string? value) => inner.WriteAsync(ConsoleText.Escape(value));

    public override Task WriteLineAsync(string? value) => inner.WriteLineAsync(ConsoleText.Escape(value));

    public override void Flush() => inner.Flush();

    public override Task FlushAsync() => inner.FlushAsync();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
}
