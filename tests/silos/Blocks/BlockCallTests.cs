using Monolith.Contracts.Blocks;
using Monolith.Silos.Hosting;
using Monolith.Silos.Tests.Support;

namespace Monolith.Silos.Tests.Blocks;

public sealed class BlockCallTests
{
    [Fact]
    public async Task A_grain_call_inside_a_process_hands_over_the_very_block_both_ways()
    {
        using var folder = new TemporaryFolder();
        await using var silo = await SiloHost.StartAsync(new MonolithSiloOptions { SnapshotFolder = folder.Path }, SomeModels.Small);
        using var block = Block.Of<float>([1, 2, 3]);
        Assert.Same(block, await silo.Grains.GetGrain<IBlockProbeGrain>(0).Echo(block));
    }
}
