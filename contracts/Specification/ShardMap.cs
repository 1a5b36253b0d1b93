namespace Monolith.Contracts.Specification;

/// <summary>Which shard holds an id, and the reserved canary table.</summary>
public static class ShardMap
{
    /// <summary>
    /// The shard of an id: the top bits of a mix that the index inside the shard does not use.
    /// </summary>
    /// <param name="id">Any 64-bit id.</param>
    /// <param name="shards">A power of two.</param>
    public static int Of(ulong id, int shards)
    {
        // Finalizer of MurmurHash3; the table's index mixes with its own random seed, so the two stay independent.
        id ^= id >> 33;
        id *= 0xff51afd7ed558ccdUL;
        id ^= id >> 33;
        id *= 0xc4ceb9fe1a85ec53UL;
        id ^= id >> 33;
        return shards == 1 ? 0 : (int)(id >> (64 - System.Numerics.BitOperations.Log2((uint)shards)));
    }
}
