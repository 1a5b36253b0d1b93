using System.Text;
using Monolith.Events.Kafka;

namespace Monolith.Events.Tests.Kafka;

/// <summary>A real broker that asks for a password: settings passed through reach every client.</summary>
public sealed class KafkaPasswordTests : IAsyncLifetime
{
    private const string Password = "s3cret-of-the-shop";
    private readonly string _scripts = Directory.CreateTempSubdirectory("monolith-kafka-sasl-").FullName;
    private readonly KafkaBroker _broker;

    public KafkaPasswordTests() => _broker = new KafkaBroker(Scripts);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        Directory.Delete(_scripts, recursive: true);
    }

    [Fact]
    public async Task Admin_producers_consumers_members_and_transactions_all_get_in_with_the_password()
    {
        await using var log = await OpenAsync(Password);
        Assert.NotEmpty(await log.IdentifyAsync(TimeSpan.FromSeconds(30), Token));
        await log.CreateTopicAsync(new TopicSettings { Name = "orders", Partitions = 1 }, Token);
        await log.AppendAsync([Record("plain")], Token);
        await using var member = await log.JoinGroupAsync("readers", "orders", Token);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while ((await member.PollAsync(Token)).Assigned.Count == 0)
        {
            await Task.Delay(20, patience.Token);
        }

        var place = new TopicPartition("orders", 0);
        await using (var writer = await log.OpenWriterAsync("writer", Token))
        {
            await writer.CommitAsync(new EventTransaction([Record("in a transaction")], member, [new CommittedOffset(place, 1)]), Token);
        }

        Assert.Equal(1, Assert.Single(await log.CommittedAsync("readers", [place], Token)).Offset);
        await using var reader = log.OpenReader(new PartitionOffset(place, 0));
        var read = new List<string>();
        while (read.Count < 2)
        {
            var batch = (await reader.ReadAsync(10, TimeSpan.FromSeconds(1), patience.Token))[0];
            read.AddRange(batch.Records.ToArray().Select(r => Encoding.UTF8.GetString(r.Value.Span)));
        }

        Assert.Equal(["plain", "in a transaction"], read);
    }

    [Fact]
    public async Task A_wrong_password_is_one_message_that_says_so_and_does_not_repeat_it()
    {
        await using var log = await OpenAsync("a-wrong-one");
        var failure = await Assert.ThrowsAsync<EventLogException>(
            () => log.IdentifyAsync(TimeSpan.FromSeconds(5), Token).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.Contains("uthentication failed", failure.Message, StringComparison.Ordinal);
        Assert.Contains("sasl.password", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("a-wrong-one", failure.Message, StringComparison.Ordinal);
    }

    private static NewRecord Record(string value) => new("orders", 0, default, Encoding.UTF8.GetBytes(value));

    private async Task<KafkaEventLog> OpenAsync(string password) => new(new KafkaEventLogOptions
    {
        BootstrapServers = await _broker.BootstrapAsync(),
        Timeout = TimeSpan.FromSeconds(30),
        Settings = new Dictionary<string, string>
        {
            ["security.protocol"] = "SASL_PLAINTEXT",
            ["sasl.mechanism"] = "PLAIN",
            ["sasl.username"] = "shop",
            ["sasl.password"] = password,
        },
    });

    /// <summary>The broker's scripts, with a listener that asks who is there.</summary>
    private string Scripts()
    {
        var from = KafkaBroker.RequireScripts();
        Directory.CreateSymbolicLink(Path.Combine(_scripts, "lib"), Path.Combine(from, "lib"));
        foreach (var file in (string[])["stop.sh", "log4j2.properties"])
        {
            File.CreateSymbolicLink(Path.Combine(_scripts, file), Path.Combine(from, file));
        }

        const string Listener = """
            inter.broker.listener.name=SASL_PLAINTEXT
            sasl.enabled.mechanisms=PLAIN
            sasl.mechanism.inter.broker.protocol=PLAIN
            """;
        const string Users = "listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            + $"username=\"broker\" password=\"b\" user_broker=\"b\" user_shop=\"{Password}\";";
        var script = File.ReadAllText(Path.Combine(from, "start.sh"))
            .Replace("listeners=PLAINTEXT://", "listeners=SASL_PLAINTEXT://", StringComparison.Ordinal)
            .Replace("map=PLAINTEXT:PLAINTEXT", "map=SASL_PLAINTEXT:SASL_PLAINTEXT", StringComparison.Ordinal)
            .Replace("inter.broker.listener.name=PLAINTEXT", $"{Listener}\n{Users}", StringComparison.Ordinal);
        Assert.Contains(Users, script, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_scripts, "start.sh"), script);
        return _scripts;
    }
}
