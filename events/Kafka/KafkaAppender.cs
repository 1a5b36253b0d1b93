using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Monolith.Events.Kafka;

/// <summary>
/// Appends records, of each partition one flight at a time: what comes in the meantime gathers, and leaves together when the flight
/// before it is acknowledged.
/// </summary>
/// <remarks>
/// The client's own queue would do, but for one thing: an idempotent producer that has five messages of a partition in flight sends no
/// further request for it, and its sender, while more of them are due, does not wait for the answer but asks without a pause
/// whether it may send. Two such senders took both cores of a small machine from the broker whose answer they asked for, for
/// hundreds of milliseconds at a time.
/// </remarks>
internal sealed class KafkaAppender(IProducer<byte[], byte[]> producer)
{
    /// <summary>What may wait or be in flight at once; beyond it, appending waits.</summary>
    private const long MaxBytes = 128 << 20;

    private static readonly TimeSpan NoRoom = TimeSpan.FromMilliseconds(5);
    private readonly ConcurrentDictionary<(string Topic, int Partition), KafkaLane> _lanes = new();
    private long _bytes;

    /// <summary>Appends records; the acknowledgement tells of each of them.</summary>
    public async ValueTask AppendAsync(
        IReadOnlyList<NewRecord> records,
        Confluent.Kafka.TopicPartition[] targets,
        Acknowledgement acknowledgement,
        CancellationToken cancellationToken)
    {
        var touched = new List<KafkaLane>();
        for (var i = 0; i < records.Count; i++)
        {
            while (Interlocked.Read(ref _bytes) > MaxBytes)
            {
                Send(touched);
                await Task.Delay(NoRoom, cancellationToken).ConfigureAwait(false);
            }

            var lane = LaneOf(targets[i]);
            var waiting = new WaitingRecord(KafkaRecords.ToMessage(records[i]), KafkaRecords.SizeOf(records[i]), acknowledgement);
            Interlocked.Add(ref _bytes, waiting.Bytes);
            lane.Add(waiting);
            if (!touched.Contains(lane))
            {
                touched.Add(lane);
            }
        }

        Send(touched);
    }

    /// <summary>Waits until nothing waits or is in flight, but not for longer than a time.</summary>
    public void Close(TimeSpan patience)
    {
        var until = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (Interlocked.Read(ref _bytes) > 0 && Environment.TickCount64 < until)
        {
            // What waited leaves when a flight lands, after the flush that waited for the flight.
            producer.Flush(NoRoom);
        }

        producer.Dispose();
        foreach (var lane in _lanes.Values)
        {
            lane.Close();
        }
    }

    private static void Send(List<KafkaLane> lanes)
    {
        foreach (var lane in lanes)
        {
            lane.Send();
        }

        lanes.Clear();
    }

    private KafkaLane LaneOf(Confluent.Kafka.TopicPartition target) => _lanes.GetOrAdd(
        (target.Topic, target.Partition.Value),
        static (_, at) => new KafkaLane(at.Producer, at.Target, at.Landed),
        (Producer: producer, Target: target, Landed: (Action<long>)Landed));

    private void Landed(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
