namespace Monolith.Serving.Replica;

/// <summary>What a replica holds of one shard, or of the dense parameters.</summary>
/// <param name="Shard">The shard; −1 is the dense parameters.</param>
/// <param name="Epoch">The shard's epoch: raised whenever it is restored.</param>
/// <param name="Sequence">Delta of the epoch that was applied last.</param>
/// <param name="WatermarkMs">Emission time learned through, in Unix milliseconds.</param>
public readonly record struct ReplicaVersion(int Shard, long Epoch, long Sequence, long WatermarkMs);
