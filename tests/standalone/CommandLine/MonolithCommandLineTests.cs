using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Tests.CommandLine;

public sealed class MonolithCommandLineTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Without_arguments_it_shows_help_with_examples()
    {
        Assert.Equal(ExitCodes.Success, await Run());
        Assert.Contains("Examples:", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("monolith demo", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_command_is_bad_usage_and_names_the_help()
    {
        Assert.Equal(ExitCodes.Usage, await Run("dmeo"));
        Assert.Contains("'dmeo'", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("'monolith --help'", _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_output.ToString());
    }

    private Task<int> Run(params string[] args) =>
        MonolithCommandLine.RunAsync(args, _output, _error, TestContext.Current.CancellationToken);
}
