namespace Monolith.Contracts.Sync;

/// <summary>Where a part stands in one partition, as its snapshots save it.</summary>
/// <param name="Partition">Name of the partition, for example <c>examples/0</c>.</param>
/// <param name="Epoch">Largest epoch of an owner seen.</param>
/// <param name="AppliedThrough">Offset to read next.</param>
/// <param name="WatermarkMs">Emission time learned through, in Unix milliseconds.</param>
public readonly record struct PartitionOffsets(string Partition, long Epoch, long AppliedThrough, long WatermarkMs);
