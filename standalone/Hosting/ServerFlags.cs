using System.CommandLine;
using Monolith.Standalone.CommandLine;
using StackExchange.Redis;

namespace Monolith.Standalone.Hosting;

/// <summary>The options with which a command is told to use real servers.</summary>
internal sealed class ServerFlags
{
    private readonly Option<string?> _kafka = new("--kafka")
    {
        Description = "Keep events on this Apache Kafka cluster instead of the data folder.",
        HelpName = "HOST:PORT",
    };

    private readonly Option<string[]> _kafkaSettings = new("--kafka-setting")
    {
        Description = "A setting of the Kafka client by librdkafka's name, such as security.protocol=SASL_SSL; may be repeated.",
        HelpName = "NAME=VALUE",
        AllowMultipleArgumentsPerToken = false,
    };

    private readonly Option<string?> _kafkaSettingsFile = new("--kafka-settings")
    {
        Description = "A file with such settings, one NAME=VALUE a line, '#' before comments: where secrets belong.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _redis = new("--redis")
    {
        Description = "Use this Redis instead of the embedded server; options may follow after commas, such as password=...,ssl=true.",
        HelpName = "HOST:PORT",
    };

    /// <summary>Adds the options that concern Kafka.</summary>
    public void AddKafkaTo(Command command)
    {
        command.Options.Add(_kafka);
        command.Options.Add(_kafkaSettings);
        command.Options.Add(_kafkaSettingsFile);
    }

    /// <summary>Adds all of them.</summary>
    public void AddTo(Command command)
    {
        AddKafkaTo(command);
        command.Options.Add(_redis);
    }

    /// <summary>What they say.</summary>
    /// <exception cref="UsageException">They make no sense.</exception>
    public ServerOptions Read(ParseResult parsed)
    {
        var kafka = parsed.GetValue(_kafka);
        var redis = parsed.CommandResult.Command.Options.Contains(_redis) ? parsed.GetValue(_redis) : null;
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        if (parsed.GetValue(_kafkaSettingsFile) is { } file)
        {
            AddFile(settings, file);
        }

        foreach (var setting in parsed.GetValue(_kafkaSettings) ?? [])
        {
            Add(settings, setting, "--kafka-setting");
        }

        if (kafka is null && settings.Count > 0)
        {
            throw new UsageException("--kafka-setting and --kafka-settings say how to reach Kafka: --kafka HOST:PORT must say where");
        }

        if (kafka is not null && !kafka.Split(',').All(NetworkAddress.IsHostAndPort))
        {
            throw new UsageException($"--kafka is '{kafka}'; allowed is HOST:PORT, several separated by commas");
        }

        return redis is null || IsRedis(redis)
            ? new ServerOptions { Kafka = kafka, KafkaSettings = settings, Redis = redis }
            : throw new UsageException("--redis is not understood; allowed is HOST:PORT, with options after commas (HOST:PORT,password=...,ssl=true)");
    }

    private static void AddFile(Dictionary<string, string> settings, string file)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--kafka-settings {file} cannot be read: {exception.Message}");
        }

        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() is { Length: > 0 } line && line[0] != '#')
            {
                Add(settings, line, $"{file}, line {i + 1}");
            }
        }
    }

    private static void Add(Dictionary<string, string> settings, string setting, string place)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            // Without its text: it may be a secret.
            throw new UsageException($"{place}: allowed is NAME=VALUE, such as security.protocol=SASL_SSL");
        }

        settings[setting[..equals].Trim()] = setting[(equals + 1)..].Trim();
    }

    private static bool IsRedis(string redis)
    {
        try
        {
            // What has no = is an address; the rest are options.
            var parts = redis.Split(',').Select(part => part.Trim()).Where(part => part.Length > 0).ToArray();
            return parts is [var first, ..] && !first.Contains('=') && parts.All(p => p.Contains('=') || NetworkAddress.IsHostAndPort(p))
                && ConfigurationOptions.Parse(redis).EndPoints.Count > 0;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
