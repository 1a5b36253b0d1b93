using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Tests.Memory;

public sealed unsafe class UnitStoreTests
{
    /// <summary>Also where a slab holds a number of units that is no power of two, so that numbers have gaps.</summary>
    [Theory]
    [InlineData(4096, 0)]
    [InlineData(520, 6)]
    [InlineData(1000, 6)]
    public void Units_of_several_slabs_and_their_side_bytes_lie_apart(int unitBytes, int sideBytes)
    {
        using var store = new UnitStore(SlabPool.Shared, unitBytes, sideBytes);
        List<(nint From, nint To)> places = [];
        while (store.Slabs < 4)
        {
            var unit = store.Take();
            places.Add(((nint)store.Address(unit), (nint)store.Address(unit) + unitBytes));
            places.Add(((nint)store.Side(unit), (nint)store.Side(unit) + sideBytes));
        }

        places.RemoveAll(p => p.From == p.To);
        places.Sort();
        Assert.InRange(places.Count, 3 * store.UnitsPerSlab, int.MaxValue);
        Assert.DoesNotContain(places.Zip(places.Skip(1)), pair => pair.First.To > pair.Second.From);
    }
}
