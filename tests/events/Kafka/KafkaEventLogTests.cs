using Monolith.Events.Kafka;
using Monolith.Events.Tests.Contract;
using Monolith.Events.Tests.Kafka;

[assembly: AssemblyFixture(typeof(KafkaBroker))]

namespace Monolith.Events.Tests.Kafka;

public sealed class KafkaEventLogTests(KafkaBroker broker) : EventLogContract
{
    protected override async ValueTask<IEventLog> OpenAsync()
        => new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = await broker.BootstrapAsync() });

    [Fact]
    public async Task Nobody_there_is_one_clear_message()
    {
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = "127.0.0.1:1", Timeout = TimeSpan.FromSeconds(1) });
        var failure = await Assert.ThrowsAsync<EventLogException>(() => log.PartitionsAsync("any", Token).AsTask());
        Assert.Contains("Kafka could not describe topic 'any'", failure.Message, StringComparison.Ordinal);
    }
}
