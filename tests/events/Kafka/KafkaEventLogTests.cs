using Monolith.Events.Kafka;
using Monolith.Events.Tests.Contract;
using Monolith.Events.Tests.Kafka;

[assembly: AssemblyFixture(typeof(KafkaBroker))]

namespace Monolith.Events.Tests.Kafka;

public sealed class KafkaEventLogTests(KafkaBroker broker) : EventLogContract
{
    public override async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(broker.Missing is not null, $"Apache Kafka is not here: {broker.Missing}");
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        if (broker.Missing is null)
        {
            await base.DisposeAsync();
        }
    }

    protected override ValueTask<IEventLog> OpenAsync()
        => ValueTask.FromResult<IEventLog>(new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = broker.Bootstrap }));

    [Fact]
    public async Task Nobody_there_is_one_clear_message()
    {
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = "127.0.0.1:1", Timeout = TimeSpan.FromSeconds(1) });
        var failure = await Assert.ThrowsAsync<EventLogException>(() => log.PartitionsAsync("any", Token).AsTask());
        Assert.Contains("Kafka could not describe topic 'any'", failure.Message, StringComparison.Ordinal);
    }
}
