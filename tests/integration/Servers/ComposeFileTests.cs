using System.Text.Json.Nodes;
using NJsonSchema;

namespace Monolith.Integration.Tests.Servers;

public sealed class ComposeFileTests
{
    public static TheoryData<string> Services => ["kafka", "redis"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_follows_the_schema_of_the_compose_specification()
    {
        var schema = await JsonSchema.FromFileAsync(ComposeFile.Schema(), Token);
        Assert.Empty(schema.Validate(ComposeFile.Load().ToJsonString()));

        // The validator is one: mistakes of each sort are found.
        Assert.NotEmpty(schema.Validate(Changed(f => f["services"]!["kafka"]!["prots"] = new JsonArray())));
        Assert.NotEmpty(schema.Validate(Changed(f => f["services"]!["redis"]!["healthcheck"]!["retries"] = new JsonArray())));
        Assert.NotEmpty(schema.Validate(Changed(f => f["services"]!["redis"]!["volumes"] = "redis-data:/data")));
        Assert.NotEmpty(schema.Validate(Changed(f => f["networks"] = 1)));
    }

    [Fact]
    public void It_has_kafka_and_redis_and_nothing_else()
        => Assert.Equal(Services.Select(s => s.Data).Order(), ComposeFile.Load()["services"]!.AsObject().Select(s => s.Key).Order());

    [Theory]
    [MemberData(nameof(Services))]
    public void A_service_is_pinned_watched_bounded_comes_back_and_is_reached_from_this_machine_only(string name)
    {
        var file = ComposeFile.Load();
        var service = file["services"]![name]!;
        Assert.Matches(@"^[a-z/]+:\d+\.\d+\.\d+$", (string)service["image"]!);
        Assert.Equal("unless-stopped", (string)service["restart"]!);
        Assert.Matches(@"^\d+[mg]$", (string)service["mem_limit"]!);
        var ports = service["ports"]!.AsArray();
        Assert.NotEmpty(ports);
        Assert.All(ports, port => Assert.StartsWith("127.0.0.1:", (string)port!, StringComparison.Ordinal));
        var check = service["healthcheck"]!;
        Assert.Equal("CMD", (string)check["test"]![0]!);
        Assert.True((long)check["retries"]! >= 1);
        Assert.NotNull(check["timeout"]);
        var volumes = service["volumes"]!.AsArray();
        Assert.NotEmpty(volumes);
        Assert.All(volumes, volume => Assert.Contains(((string)volume!).Split(':')[0], file["volumes"]!.AsObject().Select(v => v.Key)));
    }

    [Fact]
    public void Topics_are_left_to_the_application_and_what_is_kept_lies_in_the_volume()
    {
        var file = ComposeFile.Load();
        var kafka = ComposeFile.KafkaProperties();
        Assert.Equal("false", kafka["auto.create.topics.enable"]);
        Assert.Equal($"kafka-data:{kafka["log.dirs"]}", (string)file["services"]!["kafka"]!["volumes"]![0]!);
        Assert.Equal(16, Convert.FromBase64String($"{file["services"]!["kafka"]!["environment"]!["CLUSTER_ID"]}==").Length);
        // What the README tells people to use is what the broker tells clients.
        Assert.Contains("EXTERNAL://127.0.0.1:9092", kafka["advertised.listeners"], StringComparison.Ordinal);
    }

    private static string Changed(Action<JsonObject> change)
    {
        var file = ComposeFile.Load();
        change(file);
        return file.ToJsonString();
    }
}
