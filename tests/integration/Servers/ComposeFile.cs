using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Monolith.Integration.Tests.Servers;

/// <summary>The compose file at the top of the repository, as JSON.</summary>
internal static class ComposeFile
{
    public static JsonObject Load()
    {
        using var reader = File.OpenText(Path.Combine(Repository(), "docker-compose.yml"));
        var yaml = new YamlStream();
        yaml.Load(reader);
        return (JsonObject)ToJson(yaml.Documents.Single().RootNode)!;
    }

    public static string Schema() => Path.Combine(Repository(), "tests", "integration", "Servers", "compose-spec.json");

    /// <summary>A service's environment as the Apache Kafka image reads it: <c>KAFKA_LOG_DIRS</c> is <c>log.dirs</c>.</summary>
    public static Dictionary<string, string> KafkaProperties() => Load()["services"]!["kafka"]!["environment"]!.AsObject()
        .Where(e => e.Key.StartsWith("KAFKA_", StringComparison.Ordinal) && e.Key != "KAFKA_HEAP_OPTS")
        .ToDictionary(e => e.Key["KAFKA_".Length..].ToLowerInvariant().Replace('_', '.'), e => (string)e.Value!);

    public static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Monolith.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The tests do not lie in the repository.");
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value!),
        YamlScalarNode quoted => JsonValue.Create(quoted.Value!),
        _ => throw new InvalidDataException($"{node.Start}: {node.NodeType} is not expected here"),
    };

    private static JsonValue? Plain(string text) => text switch
    {
        "" or "null" or "~" => null,
        "true" or "false" => JsonValue.Create(text == "true"),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };
}
