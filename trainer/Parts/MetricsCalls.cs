using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Trainer.Batches;

namespace Monolith.Trainer.Parts;

/// <summary>A micro-batch's call to progressive validation.</summary>
/// <param name="parts">The model's parts.</param>
/// <param name="untouchedBatches">Batches without examples after which it is told of progress all the same.</param>
internal sealed class MetricsCalls(ModelParts parts, int untouchedBatches)
{
    /// <summary>Whether progressive validation does not have this batch yet.</summary>
    public bool IsBehind(MicroBatch batch) => batch.Partition.Applied[parts.MetricsIndex] <= batch.From;

    /// <summary>Pushes a batch's scores, if they are not there yet.</summary>
    public Task Push(MicroBatch batch)
    {
        var partition = batch.Partition;
        if (!IsBehind(batch) || (batch.Count == 0 && ++partition.Untouched[parts.MetricsIndex] < untouchedBatches))
        {
            return Task.CompletedTask;
        }

        var span = partition.Span(parts.MetricsIndex, batch.Through, batch.WatermarkMs);
        return Push(partition, batch.Count == 0 ? Empty(span) : new MetricsPush(
            span, [.. batch.Groups.ToArray().Where(n => n > 0)], Block.Of<float>(batch.Scores), Block.Of(batch.Targets.Labels),
            Block.Of(batch.Targets.KeepRates), Block.Of(batch.Targets.Weights), Block.Of(batch.Targets.ServedScores),
            Block.Of(batch.BaselineKeys)));
    }

    /// <summary>Tells it that nothing more comes before an offset, if it lags behind that, or in any case.</summary>
    public Task Advance(OwnedPartition partition, long through, bool always)
    {
        var applied = partition.Applied[parts.MetricsIndex];
        return applied < through || (always && applied == through)
            ? Push(partition, Empty(partition.Span(parts.MetricsIndex, through, partition.WatermarkMs)))
            : Task.CompletedTask;
    }

    private static MetricsPush Empty(PartitionSpan span) =>
        new(span, [], Block.Empty, Block.Empty, Block.Empty, Block.Empty, Block.Empty, Block.Empty);

    private async Task Push(OwnedPartition partition, MetricsPush push)
    {
        var reply = await parts.Metrics.Push(push);
        foreach (var block in (ReadOnlySpan<Block>)[push.Scores, push.Labels, push.KeepRates, push.Weights, push.ServedScores, push.BaselineKeys])
        {
            block.Dispose();
        }

        partition.Acknowledge(parts.MetricsIndex, reply, push.Span.Through);
    }
}
