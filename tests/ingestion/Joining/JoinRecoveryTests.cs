using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Events;
using Monolith.Events.Kafka;
using Monolith.Events.Tests.Kafka;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>Recovery on a real Kafka, where a dead writer can leave a transaction undecided.</summary>
public sealed class JoinRecoveryTests(KafkaBroker broker)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Recovery_waits_until_a_dead_writers_transaction_is_decided_and_goes_on_behind_what_it_took(bool committed)
    {
        var bootstrap = await broker.BootstrapAsync();
        await using var log = new KafkaEventLog(new KafkaEventLogOptions { BootstrapServers = bootstrap });
        var spec = Fixture.Spec with { Name = $"shop-{Guid.NewGuid():N}" };
        await ModelTopicsSetup.EnsureAsync(log, spec, 2, 1, Token);
        var rules = new JoinRules(spec, 2);
        await log.AppendAsync([new NewRecord(rules.Topics.Impressions, 0, default, new byte[] { 1 })], Token);

        using var dead = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = bootstrap, TransactionalId = $"{spec.Name}.dead" }).Build();
        dead.InitTransactions(Patience);
        dead.BeginTransaction();
        var entry = new JoinEntry { ImpressionsThrough = 1, WatermarkMs = 5, FloorSequence = 1 };
        await dead.ProduceAsync(new Confluent.Kafka.TopicPartition(rules.Topics.Joins, 0), new Message<byte[], byte[]> { Value = entry.Encode() }, Token);

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(Patience);
        var recovery = new JoinRecovery(
            log, rules, $"{spec.Name}.joiner", new JoinMemory(1 << 20), TimeProvider.System, NullLogger.Instance, files: null);
        var opening = recovery.OpenAsync(0, patience.Token);

        // The partition beside it, where nothing is undecided, opens; it was asked for later and has as much to do.
        using (var beside = await recovery.OpenAsync(1, patience.Token))
        {
            Assert.Equal(0, beside.Impressions.Next);
        }

        Assert.False(opening.IsCompleted);
        if (committed)
        {
            dead.CommitTransaction(Patience);
        }
        else
        {
            dead.AbortTransaction(Patience);
        }

        using var opened = await opening;
        Assert.Equal(committed ? (1, 5) : (0, 0), (opened.Impressions.Next, opened.State.WatermarkMs));
    }
}
