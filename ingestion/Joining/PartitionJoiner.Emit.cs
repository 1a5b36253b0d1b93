using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Wire;

namespace Monolith.Ingestion.Joining;

/// <summary>What the joiner emits.</summary>
internal sealed partial class PartitionJoiner
{
    private const int MaxKeyBytes = EventLimits.MaxIdBytes;

    /// <summary>Hashes of the items seen of the list that is emitted.</summary>
    private readonly HashSet<ulong> _shown = [];

    /// <summary>Where in the impression the items lie that are emitted.</summary>
    private readonly List<Range> _emitted = [];

    /// <summary>Their labels, those of all tasks for each item.</summary>
    private readonly List<TaskLabel> _emittedLabels = [];

    /// <summary>
    /// Emits labels of a request as one group: positives that were said just now, and, of the tasks whose stage closes, every
    /// label that was not said before. Items of which nothing is said are left out, and a group of none.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="fromStage">Stages that close, from this one …</param>
    /// <param name="throughStage">… to this (exclusive).</param>
    /// <param name="positives">Positives that were said just now; null: none.</param>
    /// <param name="output">Where it goes.</param>
    private void Emit(in PendingRequest request, int fromStage, int throughStage, List<NewPositive>? positives, JoinOutput output)
    {
        if (output.Replaying || (fromStage == throughStage && positives is null))
        {
            return;
        }

        Dictionary<ulong, LabelState>? said = null;
        if (request.HasLabels)
        {
            _labels.TryGet(rules.LastBucket(request.EventTimeMs), out said);
        }

        var impression = BytesOf(request);
        var requestId = ImpressionWire.RequestIdOf(impression);
        Span<TaskLabel> labels = stackalloc TaskLabel[rules.Tasks];
        var reader = new ProtoReader(impression);
        _shown.Clear();
        _emitted.Clear();
        _emittedLabels.Clear();
        for (var index = 0; ImpressionWire.NextItem(ref reader, out var item); index++)
        {
            labels.Clear();
            var any = false;
            if (fromStage < throughStage)
            {
                var itemId = ImpressionWire.ItemId(item);
                if (_shown.Add(XxHash3.HashToUInt64(itemId)) || Find(impression, itemId) == index)
                {
                    // Shown twice in one list: one example.
                    any = Closing(request.Key, requestId, itemId, fromStage, throughStage, said, labels, output.Counts);
                }
            }

            if (any | Positive(index, positives, labels, output.Counts))
            {
                _emitted.Add((reader.Position - item.Length)..reader.Position);
                _emittedLabels.AddRange(labels);
            }
        }

        output.Counts.Examples += _emitted.Count;
        if (_emitted.Count > 0)
        {
            WriteGroups(request, impression, requestId, output);
        }
    }

    /// <summary>
    /// Writes the examples that were collected: one group, or several where one would be larger than the log's records. Memory is
    /// taken for what is written, not for the whole list: a click on a long list is a short record.
    /// </summary>
    private void WriteGroups(in PendingRequest request, ReadOnlySpan<byte> impression, ReadOnlySpan<byte> requestId, JoinOutput output)
    {
        var key = PartitionKey(impression, output);
        var headBytes = ExampleGroupWire.MaxHeadBytes(requestId.Length) + ImpressionWire.SharedBytes(impression);
        var room = output.MaxRecordBytes - (EventLimits.ReservedRecordBytes / 2);
        var labels = CollectionsMarshal.AsSpan(_emittedLabels);
        for (var from = 0; from < _emitted.Count;)
        {
            var (through, bytes) = (from, headBytes);
            do
            {
                bytes += MaxExampleBytes(through++);
            }
            while (through < _emitted.Count && bytes + MaxExampleBytes(through) <= room);

            var group = new ExampleGroupWire(output.Arena);
            group.Begin(bytes);
            group.Head(requestId, request.EventTimeMs, output.NowMs, 0);
            group.Shared(impression);
            for (; from < through; from++)
            {
                group.Example(impression[_emitted[from]], labels.Slice(from * rules.Tasks, rules.Tasks));
            }

            Write(new NewRecord(rules.Topics.Examples, NewRecord.ByKey, key, group.End()), output);
        }
    }

    private int MaxExampleBytes(int index)
    {
        var (_, length) = _emitted[index].GetOffsetAndLength(int.MaxValue);
        return ExampleGroupWire.MaxExampleBytes(length, rules.Tasks);
    }

    // Every event that was accepted fits. Only one that was accepted when the log's limit was higher may not.
    private void Write(in NewRecord group, JoinOutput output)
    {
        if (AsideRecord.SizeOf(group) <= output.MaxRecordBytes)
        {
            output.Records.Add(group);
            return;
        }

        output.Counts.DeadLetters++;
        var record = new EventRecord(-1, 0, group.Key, group.Value);
        output.Aside(
            rules.Topics.DeadLetters, new TopicPartition(group.Topic, -1), record, "An example is larger than the log allows by now.");
    }

    private bool Positive(int item, List<NewPositive>? positives, Span<TaskLabel> labels, JoinCounts counts)
    {
        var any = false;
        foreach (var positive in positives ?? [])
        {
            if (positive.Item == item)
            {
                any = true;
                labels[positive.Task] = new TaskLabel(true, 1, rules.Sampling[positive.Task].KeepRate, positive.Weight);
                counts.Positives++;
            }
        }

        return any;
    }

    /// <summary>The labels that close and are not said yet: negatives, of which sampling keeps its share.</summary>
    private bool Closing(
        UInt128 key,
        ReadOnlySpan<byte> requestId,
        ReadOnlySpan<byte> itemId,
        int fromStage,
        int throughStage,
        Dictionary<ulong, LabelState>? said,
        Span<TaskLabel> labels,
        JoinCounts counts)
    {
        var any = false;
        for (var task = 0; task < labels.Length; task++)
        {
            if (rules.StageOf[task] < fromStage || rules.StageOf[task] >= throughStage)
            {
                continue;
            }

            var sampling = rules.Sampling[task];
            var weight = 1f;
            if (said is not null && said.TryGetValue(LabelKey(key, itemId, task), out var state))
            {
                if (state.IsPositive)
                {
                    continue;
                }

                // Never sampled away. Its like are kept at the task's rate, so it stands for that share of itself: that keeps
                // the sample's odds, which the trainer corrects by one constant, right.
                weight = state.Weight * sampling.KeepRate;
            }
            else if (!sampling.Keeps(requestId, itemId))
            {
                counts.SampledAway++;
                continue;
            }

            any = true;
            labels[task] = new TaskLabel(true, 0, sampling.KeepRate, weight);
            counts.Negatives++;
        }

        return any;
    }

    private void EmitCanary(ReadOnlySpan<byte> requestId, long sentMs, JoinOutput output)
    {
        if (!output.Replaying)
        {
            var group = new ExampleGroupWire(output.Arena);
            group.Begin(ExampleGroupWire.MaxHeadBytes(requestId.Length));
            group.Head(requestId, sentMs, output.NowMs, sentMs);
            var value = group.End();
            output.Records.Add(new NewRecord(rules.Topics.Examples, NewRecord.ByKey, output.Arena.Copy(requestId), value));
        }
    }

    /// <summary>The value of the model's <c>partition_by</c>; the request id where a request has none.</summary>
    private ReadOnlyMemory<byte> PartitionKey(ReadOnlySpan<byte> impression, JoinOutput output)
    {
        var reader = new ProtoReader(impression);
        ReadOnlySpan<byte> requestId = default;
        while (!reader.AtEnd && reader.TryTag(out var field, out var wireType))
        {
            if (field == 4 && reader.TryBytes(out var entry))
            {
                if (FeatureWire.TextOf(entry, rules.PartitionBy) is { Length: > 0 } text)
                {
                    // A long value is no good key: its hash spreads as well, and fits.
                    var key = Encoding.UTF8.GetBytes(text);
                    return key.Length <= MaxKeyBytes ? key : XxHash128.Hash(key);
                }
            }
            else if (field == 2)
            {
                reader.TryBytes(out requestId);
            }
            else
            {
                reader.TrySkip(wireType);
            }
        }

        return output.Arena.Copy(requestId);
    }

    /// <summary>Index of the first item with this id; −1 when it was not shown.</summary>
    private static int Find(ReadOnlySpan<byte> impression, ReadOnlySpan<byte> itemId)
    {
        var reader = new ProtoReader(impression);
        for (var index = 0; ImpressionWire.NextItem(ref reader, out var item); index++)
        {
            if (ImpressionWire.ItemId(item).SequenceEqual(itemId))
            {
                return index;
            }
        }

        return -1;
    }
}
