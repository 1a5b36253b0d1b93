using Monolith.Contracts.Blocks;

namespace Monolith.Contracts.Grains;

/// <summary>
/// One slice of the id space of all of a model's tables; key <c>model/shard</c>. Tables are in the order of
/// <c>ModelSpec.WithCanary()</c>, so a micro-batch costs one lookup and one push a shard whatever the number of tables.
/// </summary>
public interface IEmbeddingShardGrain : IPart, IGrainWithStringKey
{
    /// <summary>Reads rows; inserts nothing.</summary>
    /// <returns>float32 values: for each table in turn, count × dimension, in the order of the ids. The caller disposes.</returns>
    ValueTask<Block> Lookup(LookupRequest request);

    /// <summary>Applies gradients, once.</summary>
    ValueTask<PushReply> Push(GradientPush push);

    /// <summary>What the shard holds now.</summary>
    ValueTask<ShardStatus> Status();

    /// <summary>Everything known of one id of this shard.</summary>
    /// <param name="table">Index of the table.</param>
    /// <param name="id">The id.</param>
    ValueTask<RowReport> Explain(int table, ulong id);

    /// <summary>What each table is made of, canary table last. Looks at every row, and other calls wait meanwhile.</summary>
    ValueTask<TableReport[]> Tables();
}

/// <summary>Ids to read.</summary>
/// <param name="Counts">Ids of each table, canary table last.</param>
/// <param name="Ids">ulong ids, grouped by table.</param>
[GenerateSerializer, Immutable]
public sealed record LookupRequest([property: Id(0)] int[] Counts, [property: Id(1)] Block Ids);

/// <summary>
/// Summed gradients of a micro-batch for one shard. Each id occurs once. Without ids it only moves the offset.
/// </summary>
/// <param name="Span">What the push covers.</param>
/// <param name="Counts">Ids of each table, canary table last; empty for an empty push.</param>
/// <param name="Ids">ulong ids, grouped by table.</param>
/// <param name="Gradients">float32: for each table in turn, count × dimension.</param>
/// <param name="Occurrences">int32 an id: how many occurrences its gradient sums.</param>
/// <param name="EventTimes">uint32 an id: newest event time among them, in Unix seconds.</param>
[GenerateSerializer, Immutable]
public sealed record GradientPush(
    [property: Id(0)] PartitionSpan Span,
    [property: Id(1)] int[] Counts,
    [property: Id(2)] Block Ids,
    [property: Id(3)] Block Gradients,
    [property: Id(4)] Block Occurrences,
    [property: Id(5)] Block EventTimes);

/// <summary>What a shard holds.</summary>
/// <param name="Epoch">Raised whenever the shard is restored.</param>
/// <param name="Sequence">Deltas published in this epoch.</param>
/// <param name="WatermarkMs">Emission time every partition has learned through.</param>
/// <param name="Rows">Rows of each table, canary table last.</param>
/// <param name="Bytes">Memory of all tables.</param>
/// <param name="Occurrences">Occurrences of ids that were ever learned from: each example counts once for each of its ids.</param>
[GenerateSerializer, Immutable]
public sealed record ShardStatus(
    [property: Id(0)] long Epoch,
    [property: Id(1)] long Sequence,
    [property: Id(2)] long WatermarkMs,
    [property: Id(3)] long[] Rows,
    [property: Id(4)] long Bytes,
    [property: Id(5)] long Occurrences);
