using Confluent.Kafka;

namespace Monolith.Events.Kafka;

/// <summary>Client settings passed through: which are ours to decide, and whether the client knows the others.</summary>
internal static class KafkaSettings
{
    // What exactly-once, acknowledgements and the partitions of keys stand on.
    private static readonly string[] Ours =
    [
        "bootstrap.servers", "metadata.broker.list", "enable.idempotence", "acks", "request.required.acks", "partitioner", "transactional.id",
        "transaction.timeout.ms", "group.id", "enable.auto.commit", "enable.auto.offset.store", "isolation.level", "enable.partition.eof",
        "auto.offset.reset", "partition.assignment.strategy", "group.protocol", "allow.auto.create.topics",
        "delivery.report.only.error", "dotnet.producer.enable.delivery.reports",
    ];

    /// <summary>Applies settings to a client's configuration.</summary>
    public static void Apply(IReadOnlyDictionary<string, string> settings, ClientConfig config)
    {
        foreach (var (name, value) in settings)
        {
            if (Ours.Contains(name, StringComparer.Ordinal))
            {
                throw new EventLogException($"Kafka client setting '{name}' is not free: exactly-once delivery depends on it.");
            }

            config.Set(name, value);
        }
    }

    /// <summary>Builds a client; what the library says against a setting becomes our message, without the setting's value.</summary>
    public static T Build<T>(IReadOnlyDictionary<string, string> settings, Func<T> build)
    {
        try
        {
            return build();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or KafkaException)
        {
            // The library repeats a value that it does not understand; it may be a secret.
            var reason = settings.Values.Where(v => v.Length > 0).Aggregate(e.Message, (text, value) => text.Replace($"\"{value}\"", "(hidden)", StringComparison.Ordinal));
            throw new EventLogException($"The Kafka client refuses its settings ({string.Join(", ", settings.Keys)}): {reason}");
        }
    }
}
