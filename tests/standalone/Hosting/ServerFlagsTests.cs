using Monolith.Standalone.CommandLine;

namespace Monolith.Standalone.Tests.Hosting;

public sealed class ServerFlagsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("monolith-flags-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("--kafka is 'nowhere'; allowed is HOST:PORT, several separated by commas", "--kafka", "nowhere")]
    [InlineData("--kafka is 'a:1,b:99999'; allowed is HOST:PORT, several separated by commas", "--kafka", "a:1,b:99999")]
    [InlineData("--kafka is 'http://a:1'; allowed is HOST:PORT, several separated by commas", "--kafka", "http://a:1")]
    [InlineData("--redis is not understood; allowed is HOST:PORT, with options after commas (HOST:PORT,password=...,ssl=true)", "--redis", "redis://a:1")]
    [InlineData("--redis is not understood; allowed is HOST:PORT, with options after commas (HOST:PORT,password=...,ssl=true)", "--redis", "a:1,pasword=secret")]
    [InlineData("--kafka-setting: allowed is NAME=VALUE, such as security.protocol=SASL_SSL", "--kafka", "a:1", "--kafka-setting", "secret")]
    [InlineData("--kafka-setting and --kafka-settings say how to reach Kafka: --kafka HOST:PORT must say where", "--kafka-setting", "a=b")]
    public async Task What_makes_no_sense_is_said_without_repeating_secrets(string message, params string[] arguments)
    {
        var (code, said) = await Demo(arguments);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Equal($"monolith: {message}", said);
    }

    [Theory]
    [InlineData("--kafka 127.0.0.1:1: Kafka at 127.0.0.1:1 does not answer within 5 s: ", "--kafka", "127.0.0.1:1")]
    [InlineData("--redis 127.0.0.1:1: no Redis answers there (", "--redis", "127.0.0.1:1,password=secret")]
    [InlineData("--kafka a:1: The Kafka client refuses its settings (such.a): No such configuration property: \"such.a\"", "--kafka", "a:1", "--kafka-setting", "such.a=1")]
    [InlineData("--kafka a:1: The Kafka client refuses its settings (security.protocol): Invalid value (hidden)", "--kafka", "a:1", "--kafka-setting", "security.protocol=secret")]
    [InlineData("--kafka a:1: Kafka client setting 'isolation.level' is not free", "--kafka", "a:1", "--kafka-setting", "isolation.level=read_uncommitted")]
    public async Task A_server_that_cannot_be_used_is_named_with_the_reason(string beginning, params string[] arguments)
    {
        var (code, said) = await Demo(arguments);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.StartsWith($"monolith: {beginning}", said, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_of_a_file_reach_the_client_and_the_command_line_goes_before_them()
    {
        var file = Path.Combine(_folder.FullName, "kafka.properties");
        File.WriteAllText(file, "# how to get in\nsecurity.protocol = SASL_PLAINTEXT\nsasl.mechanism=NONE-SUCH\n\nsasl.username=ann\n");
        var (code, said) = await Demo("--kafka", "127.0.0.1:1", "--kafka-settings", file);
        Assert.Equal(ExitCodes.Failure, code);
        // The client knew the mechanism that it refuses, hence the settings reached it.
        Assert.Contains("(security.protocol, sasl.mechanism, sasl.username)", said, StringComparison.Ordinal);

        (_, said) = await Demo("--kafka", "127.0.0.1:1", "--kafka-settings", file, "--kafka-setting", "security.protocol=plaintext");
        Assert.Contains("does not answer within 5 s", said, StringComparison.Ordinal);

        (code, said) = await Demo("--kafka", "127.0.0.1:1", "--kafka-settings", Path.Combine(_folder.FullName, "none"));
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("none cannot be read", said, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said)> Demo(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MonolithCommandLine.RunAsync(
            ["demo", "--duration", "1", "--quiet", .. arguments], output, error, TestContext.Current.CancellationToken);
        return (code, error.ToString().Trim());
    }
}
