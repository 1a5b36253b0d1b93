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

    [Theory]
    [InlineData("demo --rate 0", "--rate is 0; allowed is more than 0")]
    [InlineData("demo --users many", "--users")]
    [InlineData("demo --duration -1", "--duration is -1; allowed is more than 0 seconds")]
    [InlineData("run --model m.yaml", "--data-dir")]
    [InlineData("run --model m.yaml --data-dir d --urls nonsense", "--urls is 'nonsense': it does not begin with http://")]
    [InlineData("run --model m.yaml --data-dir d --urls http://127.0.0.l:5080", "'127.0.0.l' is not an IP address")]
    [InlineData("tables --model m --url httpx://127.0.0.1:5080", "--url is 'httpx://127.0.0.1:5080'")]
    [InlineData("run --model m.yaml --data-dir d --workers 0", "--workers is 0; allowed is 1 to 256")]
    public async Task A_wrong_option_is_bad_usage_and_says_what_is_allowed(string arguments, string says)
    {
        Assert.Equal(ExitCodes.Usage, await Run(arguments.Split(' ')));
        Assert.Contains(says, _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("run")]
    [InlineData("spec validate")]
    public async Task Every_command_teaches_by_examples(string command)
    {
        Assert.Equal(ExitCodes.Success, await Run([.. command.Split(' '), "--help"]));
        Assert.Contains($"  monolith {command}", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_is_one_line_and_the_stack_trace_only_on_request()
    {
        Assert.Equal(ExitCodes.Failure, await Run("run", "--model", "/nowhere/m.yaml", "--data-dir", "d"));
        Assert.Single(_error.ToString().Trim().Split('\n'));
        Assert.Contains("/nowhere/m.yaml", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failure, await Run("run", "--model", "/nowhere/m.yaml", "--data-dir", "d", "--verbose"));
        Assert.Contains("   at ", _error.ToString(), StringComparison.Ordinal);
    }

    private Task<int> Run(params string[] args) =>
        MonolithCommandLine.RunAsync(args, _output, _error, TestContext.Current.CancellationToken);
}
