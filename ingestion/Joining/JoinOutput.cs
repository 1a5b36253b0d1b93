using System.Text;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Wire;

namespace Monolith.Ingestion.Joining;

/// <summary>What one transaction will write, and what it counts. While state is rebuilt nothing is written.</summary>
internal sealed class JoinOutput
{
    /// <summary>Set while state is rebuilt from what was already emitted.</summary>
    public bool Replaying { get; init; }

    public List<NewRecord> Records { get; private set; } = [];

    public Arena Arena { get; } = new();

    public JoinCounts Counts { get; private set; } = new();

    /// <summary>Time that goes into emitted groups.</summary>
    public long NowMs { get; private set; }

    public void Begin(long nowMs)
    {
        NowMs = nowMs;
        Records = [];
        Counts = new JoinCounts();
        Arena.Reset();
    }

    /// <summary>Puts an unusable or unmatched record aside, with where it came from and why.</summary>
    public void Aside(string topic, TopicPartition from, long offset, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, string reason, IReadOnlyList<EventHeader>? headers)
    {
        if (Replaying)
        {
            return;
        }

        var all = new List<EventHeader>(headers ?? [])
        {
            new(AsideHeaders.Reason, Encoding.UTF8.GetBytes(reason)),
            new(AsideHeaders.Topic, Encoding.UTF8.GetBytes(from.Topic)),
            new(AsideHeaders.Partition, Encoding.UTF8.GetBytes($"{from.Partition}")),
            new(AsideHeaders.Offset, Encoding.UTF8.GetBytes($"{offset}")),
        };
        Records.Add(new NewRecord(topic, NewRecord.ByKey, Arena.Copy(key), Arena.Copy(value)) { Headers = all });
    }
}
