using System.IO.Hashing;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Wire;

namespace Monolith.Ingestion.Joining;

/// <summary>
/// Joins one partition: a deterministic state machine over impressions, actions and the watermark, so that the same input in
/// the same order gives the same state, which is how state is rebuilt after a crash.
/// </summary>
internal sealed partial class PartitionJoiner(JoinRules rules, int partition, ImpressionStore store) : IDisposable
{
    /// <summary>Impressions are kept, spilled and dropped in windows of this many buckets.</summary>
    private const int BucketsPerFile = 16;
    private readonly PendingRequests _requests = new();

    /// <summary>Requests by the bucket in which their next stage closes.</summary>
    private readonly TimeBuckets<List<int>> _open = new();

    /// <summary>Requests all of whose stages are closed, by the bucket in which the last one did.</summary>
    private readonly TimeBuckets<List<int>> _closed = new();

    /// <summary>What actions said, by hash of (request, item, task), by the bucket in which the request's last stage closes.</summary>
    private readonly TimeBuckets<Dictionary<ulong, LabelState>> _labels = new();
    private readonly WaitingActions _waiting = new();
    private readonly TopicPartition _impressions = new(rules.Topics.Impressions, partition);
    private readonly TopicPartition _actions = new(rules.Topics.Actions, partition);

    /// <summary>Event time everything has been seen through, in Unix milliseconds.</summary>
    public long WatermarkMs { get; private set; }

    /// <summary>Requests whose window is open, and closed ones still remembered.</summary>
    public int Requests => _requests.Count;

    /// <summary>Shown items whose window is open.</summary>
    public long PendingItems { get; private set; }

    /// <summary>Actions that wait for their impression.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>When something happens next by itself; <see cref="long.MaxValue"/>: nothing does.</summary>
    public long NextMs => Math.Min(Scaled(_open.Oldest), Scaled(_waiting.Oldest));

    /// <summary>Takes an impression.</summary>
    /// <returns>Its event time in Unix milliseconds; null when it was not taken.</returns>
    public long? Impression(in EventRecord record, JoinOutput output)
    {
        if (!EventCodec.Decode(record, EventCodec.JsonImpression, out var decoded, out var unreadable))
        {
            return Dead(_impressions, record, unreadable!, output);
        }

        var bytes = decoded.Span;
        if (MistakeOf(bytes, out ImpressionWire impression) is { } mistake)
        {
            return Dead(_impressions, record, mistake, output);
        }

        if (Misplaced(_impressions, record, impression.RequestId, output))
        {
            return null;
        }

        var eventTimeMs = impression.EventTimeMs != 0 ? impression.EventTimeMs : record.AppendTimeMs;
        if (EventRules.TimeMistake(eventTimeMs, record.AppendTimeMs, rules.AllowedSkewMs) is { } ahead)
        {
            return Dead(_impressions, record, ahead, output);
        }

        output.Counts.Impressions++;
        if (impression.RequestId.StartsWith("__canary/"u8) || impression.Items == 0)
        {
            output.Counts.Empty++;
        }
        else
        {
            Take(record, bytes, impression, eventTimeMs, output);
        }

        return eventTimeMs;
    }

    /// <summary>Takes an action.</summary>
    /// <returns>Its event time in Unix milliseconds; null when it was not taken.</returns>
    public long? Action(in EventRecord record, JoinOutput output)
    {
        if (!EventCodec.Decode(record, EventCodec.JsonAction, out var bytes, out var unreadable))
        {
            return Dead(_actions, record, unreadable!, output);
        }

        if (MistakeOf(bytes.Span, out ActionWire action) is { } mistake)
        {
            return Dead(_actions, record, mistake, output);
        }

        if (Misplaced(_actions, record, action.RequestId, output))
        {
            return null;
        }

        var eventTimeMs = action.EventTimeMs != 0 ? action.EventTimeMs : record.AppendTimeMs;
        if (EventRules.TimeMistake(eventTimeMs, record.AppendTimeMs, rules.AllowedSkewMs) is { } ahead)
        {
            return Dead(_actions, record, ahead, output);
        }

        if (action.IsCanary)
        {
            output.Counts.Canaries++;
            EmitCanary(action.RequestId, eventTimeMs, output);
        }
        else
        {
            output.Counts.Actions++;
            Take(new WaitingAction(record.Offset, eventTimeMs, record.Key, bytes), action, output);
        }

        return eventTimeMs;
    }

    /// <summary>
    /// Moves event time: closes windows, forgets what is long closed, gives up on actions whose impression did not come.
    /// Stops early when the output is full, at a bucket's end.
    /// </summary>
    /// <returns>Whether anything changed but the watermark itself.</returns>
    public bool Advance(long watermarkMs, JoinOutput output, long maxOutputBytes = long.MaxValue)
    {
        if (watermarkMs <= WatermarkMs)
        {
            return false;
        }

        var changed = false;
        var through = Floor(watermarkMs);
        while (_open.TryTake(through, out var bucket, out var slots))
        {
            changed = true;
            foreach (var slot in slots)
            {
                CloseStage(slot, output);
            }

            // Only between buckets: a stage of this one may have put its request's next stage into it again.
            if (output.Arena.Taken > maxOutputBytes && _open.Oldest > bucket && _open.Oldest <= through)
            {
                watermarkMs = bucket * rules.BucketMs;
                break;
            }
        }

        WatermarkMs = Math.Max(WatermarkMs, watermarkMs);
        store.DropBefore((Floor(WatermarkMs) + 1) / BucketsPerFile);
        return Forget(output) || changed;
    }

    /// <inheritdoc/>
    public void Dispose() => store.Dispose();

    private ReadOnlySpan<byte> BytesOf(in PendingRequest request) => store.Get(WindowOf(request.EventTimeMs), request.Impression);

    private long WindowOf(long eventTimeMs) => rules.LastBucket(eventTimeMs) / BucketsPerFile;

    private static UInt128 KeyOf(ReadOnlySpan<byte> requestId) => XxHash128.HashToUInt128(requestId);

    private static ulong LabelKey(UInt128 key, ReadOnlySpan<byte> itemId, int task)
        => XxHash3.HashToUInt64(itemId, unchecked((long)(ulong)key + (task * 0x1e3779b97f4a7c15L)));

    private long Floor(long ms) => ms < 0 ? -1 : ms / rules.BucketMs;

    private long Scaled(long bucket) => bucket == long.MaxValue ? long.MaxValue : bucket * rules.BucketMs;

    private bool Forget(JoinOutput output)
    {
        var changed = false;
        var forgotten = Floor(WatermarkMs - rules.KeepMs);
        while (_closed.TryTake(forgotten, out _, out var slots))
        {
            changed = true;
            foreach (var slot in slots)
            {
                _requests.Remove(slot);
            }
        }

        while (_labels.TryTake(forgotten, out _, out _))
        {
            changed = true;
        }

        while (_waiting.TryTakeExpired(Floor(WatermarkMs), out var action))
        {
            changed = true;
            Orphan(action, "Its impression did not come within the attribution window.", output);
        }

        return changed;
    }

    private void Take(in EventRecord record, ReadOnlySpan<byte> bytes, in ImpressionWire impression, long eventTimeMs, JoinOutput output)
    {
        var key = KeyOf(impression.RequestId);
        if (_requests.TryGet(key, out _))
        {
            output.Counts.Duplicates++;
            return;
        }

        if (rules.LastBucket(eventTimeMs) <= Floor(WatermarkMs - rules.KeepMs))
        {
            // A request this old may have been here and be forgotten: it cannot be told from a duplicate.
            output.Counts.Impressions--;
            Dead(_impressions, record, "It came so long after its attribution window that a duplicate could not be told.", output);
            return;
        }

        output.Counts.Requests++;
        output.Counts.Items += impression.Items;
        var slot = _requests.Add(new PendingRequest
        {
            Key = key,
            EventTimeMs = eventTimeMs,
            Impression = store.Put(WindowOf(eventTimeMs), bytes),
            Items = impression.Items,
        });
        PendingItems += impression.Items;
        Open(slot, _waiting.Take(key), output);
    }

    private void Take(WaitingAction waiting, in ActionWire action, JoinOutput output)
    {
        if (rules.KindOf(action.Kind) is not { } kind || !kind.AnyApplies(action.Value))
        {
            output.Counts.Unlabelled++;
            return;
        }

        var key = KeyOf(action.RequestId);
        if (_requests.TryGet(key, out var slot))
        {
            Match(slot, [waiting], output);
        }
        else
        {
            _waiting.Add(key, rules.BucketAfter(waiting.EventTimeMs + kind.WindowMs), waiting);
        }
    }

    private string? MistakeOf(ReadOnlySpan<byte> bytes, out ImpressionWire impression)
        => ImpressionWire.Read(bytes, rules.Fields, out impression) ?? EventRules.SizeMistake(bytes.Length, rules.MaxEventBytes);

    private string? MistakeOf(ReadOnlySpan<byte> bytes, out ActionWire action)
        => ActionWire.Read(bytes, out action) ?? EventRules.SizeMistake(bytes.Length, rules.MaxEventBytes);

    private long? Dead(TopicPartition from, in EventRecord record, string reason, JoinOutput output)
    {
        output.Counts.DeadLetters++;
        output.Aside(rules.Topics.DeadLetters, from, record, reason);
        return null;
    }

    private void Orphan(in WaitingAction action, string reason, JoinOutput output)
    {
        output.Counts.Orphans++;
        output.Aside(rules.Topics.Orphans, _actions, new EventRecord(action.Offset, 0, action.Key, action.Bytes), reason);
    }

    private bool Misplaced(TopicPartition from, in EventRecord record, ReadOnlySpan<byte> requestId, JoinOutput output)
    {
        if (Partitioner.Of(requestId, rules.InputPartitions) == partition)
        {
            return false;
        }

        var moved = new NewRecord(from.Topic, NewRecord.ByKey, output.Arena.Copy(requestId), record.Value) { Headers = record.Headers };
        if (AsideRecord.SizeOf(moved) > rules.MaxRecordBytes)
        {
            Dead(from, record, "It lies on a partition that its request does not belong to, and is too large to be moved.", output);
            return true;
        }

        output.Counts.Rerouted++;
        if (!output.Replaying)
        {
            output.Records.Add(moved);
        }

        return true;
    }
}
