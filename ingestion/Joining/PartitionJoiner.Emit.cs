using System.Text;
using Monolith.Events;
using Monolith.Ingestion.Wire;

namespace Monolith.Ingestion.Joining;

/// <summary>What the joiner emits.</summary>
internal sealed partial class PartitionJoiner
{
    /// <summary>Matches actions with the items of a request; the new positives are one group.</summary>
    private void Match(int slot, List<WaitingAction> actions, bool emit, JoinOutput output)
    {
        ref var request = ref _requests[slot];
        var impression = request.Impression!.AsSpan();
        List<(int Item, int Task)>? matched = null;
        foreach (var waiting in actions)
        {
            ActionWire.Read(waiting.Bytes.Span, out var action);
            var item = Find(impression, action.ItemId);
            if (item < 0)
            {
                Orphan(waiting, "Its impression did not show the item.", output);
                continue;
            }

            if (waiting.EventTimeMs > request.EventTimeMs + rules.WindowMs)
            {
                output.Counts.Late++;
                continue;
            }

            var task = rules.TaskOf(action.Kind);
            if (!_positives[rules.CloseBucket(request.EventTimeMs)].Add(PositiveOf(request.Key, action.ItemId, task)))
            {
                output.Counts.Duplicates++;
                continue;
            }

            request.HasPositives = true;
            output.Counts.Positives++;
            (matched ??= []).Add((item, task));
        }

        if (emit && matched is not null && !output.Replaying)
        {
            EmitPositives(request, matched, output);
        }
    }

    private void EmitPositives(in PendingRequest request, List<(int Item, int Task)> matched, JoinOutput output)
    {
        var impression = request.Impression!.AsSpan();
        var group = BeginGroup(request, impression, output);
        Span<TaskLabel> labels = stackalloc TaskLabel[rules.Labels.Length];
        var reader = new ProtoReader(impression);
        for (var index = 0; ImpressionWire.NextItem(ref reader, out var item); index++)
        {
            labels.Clear();
            var any = false;
            foreach (var (matchedItem, task) in matched)
            {
                if (matchedItem == index)
                {
                    any = true;
                    labels[task] = new TaskLabel(true, 1, 1);
                }
            }

            if (any)
            {
                group.Example(item, labels);
            }
        }

        EndGroup(group, impression, output);
    }

    /// <summary>Emits what is left of a request whose window has closed: every label that was not positive is negative.</summary>
    private void Close(int slot, JoinOutput output)
    {
        ref var request = ref _requests[slot];
        EmitRest(request, positivesToo: false, output);
        End(ref request);
    }

    /// <summary>Emits a request whose window had closed when it came, whole.</summary>
    private void CloseLate(int slot, JoinOutput output)
    {
        ref var request = ref _requests[slot];
        EmitRest(request, positivesToo: true, output);
        End(ref request);
    }

    private void End(ref PendingRequest request)
    {
        PendingItems -= request.Items;
        request.Impression = null;
        request.Closed = true;
    }

    private void EmitRest(in PendingRequest request, bool positivesToo, JoinOutput output)
    {
        if (output.Replaying)
        {
            return;
        }

        HashSet<ulong>? positives = null;
        if (request.HasPositives)
        {
            _positives.TryGet(rules.CloseBucket(request.EventTimeMs), out positives);
        }

        var impression = request.Impression!.AsSpan();
        var group = BeginGroup(request, impression, output);
        Span<TaskLabel> labels = stackalloc TaskLabel[rules.Labels.Length];
        var reader = new ProtoReader(impression);
        var examples = 0;
        for (var index = 0; ImpressionWire.NextItem(ref reader, out var item); index++)
        {
            var itemId = ImpressionWire.ItemId(item);
            if (index > 0 && Find(impression, itemId) < index)
            {
                // Shown twice in one list: one example.
                continue;
            }

            var any = false;
            for (var task = 0; task < labels.Length; task++)
            {
                var positive = positives?.Contains(PositiveOf(request.Key, itemId, task)) ?? false;
                labels[task] = positive ? new TaskLabel(positivesToo, 1, 1) : new TaskLabel(true, 0, 1);
                any |= labels[task].Present;
                output.Counts.Negatives += positive ? 0 : 1;
            }

            if (any)
            {
                group.Example(item, labels);
                examples++;
            }
        }

        if (examples > 0)
        {
            EndGroup(group, impression, output);
        }
    }

    private void EmitCanary(ReadOnlySpan<byte> requestId, long sentMs, JoinOutput output)
    {
        if (!output.Replaying)
        {
            var group = new ExampleGroupWire(output.Arena);
            group.Begin(ExampleGroupWire.MaxBytes(requestId.Length, 0, 0));
            group.Head(requestId, sentMs, output.NowMs, sentMs);
            var value = group.End();
            output.Records.Add(new NewRecord(rules.Topics.Examples, NewRecord.ByKey, output.Arena.Copy(requestId), value));
        }
    }

    private ExampleGroupWire BeginGroup(in PendingRequest request, ReadOnlySpan<byte> impression, JoinOutput output)
    {
        var group = new ExampleGroupWire(output.Arena);
        group.Begin(ExampleGroupWire.MaxBytes(impression.Length, request.Items, rules.Labels.Length));
        ImpressionWire.Read(impression, out var read);
        group.Head(read.RequestId, request.EventTimeMs, output.NowMs, 0);
        group.Shared(impression);
        return group;
    }

    private void EndGroup(ExampleGroupWire group, ReadOnlySpan<byte> impression, JoinOutput output)
    {
        var value = group.End();
        output.Records.Add(new NewRecord(rules.Topics.Examples, NewRecord.ByKey, PartitionKey(impression, output), value));
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
                    return Encoding.UTF8.GetBytes(text);
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
