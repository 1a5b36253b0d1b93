using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Batches;

namespace Monolith.Trainer.Parts;

/// <summary>A micro-batch's calls to the shards, side by side.</summary>
/// <param name="spec">The model.</param>
/// <param name="parts">Its parts.</param>
/// <param name="untouchedBatches">A shard that batches do not touch is told of their progress after so many.</param>
internal sealed class ShardCalls(ModelSpec spec, ModelParts parts, int untouchedBatches)
{
    private readonly ulong[] _canaryIds = [.. Enumerable.Range(0, spec.Shards).Select(s => CanaryTable.IdOf(s, spec.Shards))];

    /// <summary>Brings the rows of a batch's distinct ids.</summary>
    public Task Lookup(MicroBatch batch) =>
        Task.WhenAll(Enumerable.Range(0, parts.Shards.Length).Where(s => !IsEmpty(batch.Ids.Of(s))).Select(s => Lookup(batch, s)));

    /// <summary>Pushes a batch's gradients to the shards that do not have them yet.</summary>
    public IEnumerable<Task> Push(MicroBatch batch)
    {
        var partition = batch.Partition;
        for (var s = 0; s < parts.Shards.Length; s++)
        {
            if (partition.Applied[s] > batch.From)
            {
                continue;
            }

            var isTouched = batch.CanaryMs != 0 || !IsEmpty(batch.Ids.Of(s));
            if (isTouched || ++partition.Untouched[s] >= untouchedBatches)
            {
                var span = partition.Span(s, batch.Through, batch.WatermarkMs);
                yield return Push(partition, s, isTouched ? Fill(batch, s, span) : Empty(span));
            }
        }
    }

    /// <summary>Tells the shards that lag behind an offset, or all, that nothing more of theirs comes before it.</summary>
    public IEnumerable<Task> Advance(OwnedPartition partition, long through, bool all) =>
        Enumerable.Range(0, parts.Shards.Length)
            .Where(s => partition.Applied[s] < through || (all && partition.Applied[s] == through))
            .Select(s => Push(partition, s, Empty(partition.Span(s, through, partition.WatermarkMs))));

    private static bool IsEmpty(Range range) => range.Start.Value == range.End.Value;

    private static GradientPush Empty(PartitionSpan span) => new(span, [], Block.Empty, Block.Empty, Block.Empty, Block.Empty);

    private async Task Lookup(MicroBatch batch, int shard)
    {
        var range = batch.Ids.Of(shard);
        var request = new LookupRequest(batch.Ids.Counts(shard).ToArray(), Block.Of(batch.Ids.Ids[range]));
        using var rows = await parts.Shards[shard].Lookup(request);
        request.Ids.Dispose();
        var into = batch.Rows[(range.Start.Value * batch.RowLength)..(range.End.Value * batch.RowLength)];
        if (rows.Length != into.Length * sizeof(float))
        {
            throw new InvalidDataException(
                $"shard {shard} answered a lookup with {rows.Length} bytes where the specification has {into.Length * sizeof(float)}");
        }

        rows.As<float>().CopyTo(into);
    }

    private async Task Push(OwnedPartition partition, int shard, GradientPush push)
    {
        var reply = await parts.Shards[shard].Push(push);
        push.Ids.Dispose();
        push.Gradients.Dispose();
        push.Occurrences.Dispose();
        push.EventTimes.Dispose();
        partition.Acknowledge(shard, reply, push.Span.Through);
    }

    private GradientPush Fill(MicroBatch batch, int shard, PartitionSpan span)
    {
        var range = batch.Ids.Of(shard);
        var counts = batch.Ids.Counts(shard).ToArray();
        var gradients = batch.RowGradients[(range.Start.Value * batch.RowLength)..(range.End.Value * batch.RowLength)];
        if (batch.CanaryMs == 0)
        {
            return new GradientPush(
                span, counts, Block.Of(batch.Ids.Ids[range]), Block.Of<float>(gradients),
                Block.Of(batch.Ids.Occurrences[range]), Block.Of(batch.EventTimes[range]));
        }

        // The canary table is the last one, so its one row comes after all others.
        counts[^1] = 1;
        Span<float> time = stackalloc float[CanaryTable.Spec.Dimension];
        CanaryTable.Encode(batch.CanaryMs, time);
        return new GradientPush(
            span, counts, With(batch.Ids.Ids[range], [_canaryIds[shard]]), With(gradients, time),
            With(batch.Ids.Occurrences[range], [1]), With(batch.EventTimes[range], [(uint)(batch.CanaryMs / 1000)]));
    }

    private static Block With<T>(ReadOnlySpan<T> values, ReadOnlySpan<T> last)
        where T : unmanaged
    {
        var block = Block.Rent<T>(values.Length + last.Length);
        values.CopyTo(block.As<T>());
        last.CopyTo(block.As<T>()[values.Length..]);
        return block;
    }
}
