using Monolith.Events;
using Monolith.Ingestion.Wire;

namespace Monolith.Ingestion.Joining;

/// <summary>What one transaction will write, and what it counts. While state is rebuilt nothing is written.</summary>
internal sealed class JoinOutput
{
    /// <summary>Set while state is rebuilt from what was already emitted.</summary>
    public bool Replaying { get; init; }

    /// <summary>Bytes of a record that the log takes.</summary>
    public int MaxRecordBytes { get; init; } = 8 << 20;

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

    /// <summary>Sets an unusable or unmatched record aside, with where it came from and why.</summary>
    public void Aside(string topic, TopicPartition from, in EventRecord record, string reason)
    {
        if (!Replaying)
        {
            var aside = AsideRecord.Of(topic, from, record, reason, MaxRecordBytes);
            Records.Add(aside with { Key = Arena.Copy(aside.Key.Span), Value = Arena.Copy(aside.Value.Span) });
        }
    }
}
