using Monolith.Contracts.Blocks;

namespace Monolith.Silos.Tests.Blocks;

/// <summary>Hands back what it was given.</summary>
public interface IBlockProbeGrain : IGrainWithIntegerKey
{
    ValueTask<Block> Echo(Block block);
}

public sealed class BlockProbeGrain : Grain, IBlockProbeGrain
{
    public ValueTask<Block> Echo(Block block) => new(block);
}
