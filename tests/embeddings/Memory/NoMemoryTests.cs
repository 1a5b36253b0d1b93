using Monolith.Embeddings.Index;
using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Tests.Memory;

/// <summary>A system without memory left costs the insertion that asked for some, and nothing that was there before.</summary>
public sealed class NoMemoryTests
{
    private static readonly string? Elsewhere = NativePages.CanReserve ? null : "address space is reserved on Linux only";

    [Fact]
    public void A_store_that_got_no_slab_is_as_before_and_goes_on_when_there_is_one()
    {
        Assert.SkipUnless(Elsewhere is null, Elsewhere ?? "");
        var refuse = true;
        var pool = new SlabPool(() => refuse ? throw new InsufficientMemoryException() : Extent());
        using var store = new UnitStore(pool, 64, 0);
        Assert.Throws<InsufficientMemoryException>(() => store.Take());
        Assert.Equal((0, 0), (store.Live, store.Slabs));
        refuse = false;
        store.Give(store.Take());
        Assert.Equal((0, 0), (store.Live, store.Slabs));
    }

    [Fact]
    public void An_index_that_cannot_grow_keeps_every_id_it_has_and_goes_on_when_it_can()
    {
        Assert.SkipUnless(Elsewhere is null, Elsewhere ?? "");
        var extents = 1;
        var pool = new SlabPool(() => extents-- > 0 ? Extent() : throw new InsufficientMemoryException());
        using var index = new CuckooIndex(pool, new IdHash(1, 2, 3));
        using (var hog = new UnitStore(pool, SlabPool.SlabBytes, 0))
        {
            // All but what the index has, and the few slabs that the pool's own thread may hold at this moment.
            Assert.Throws<InsufficientMemoryException>(() => Enumerable.Range(0, 64).Select(_ => hog.Take()).Count(unit => unit > 64));
            Assert.Throws<InsufficientMemoryException>(() => Insert(index, 20_000_000));
        }

        Check(index);
        var had = index.Count;
        Assert.InRange(had, 50_000, 10_000_000);
        Insert(index, had + 200_000);
        Assert.Equal(had + 200_000, index.Count);
        Check(index);
    }

    private static unsafe nint Extent() => (nint)NativePages.Reserve((nuint)SlabPool.SlabsPerExtent * SlabPool.SlabBytes, SlabPool.SlabBytes);

    private static void Insert(CuckooIndex index, long upTo)
    {
        while (index.Count < upTo)
        {
            index.Insert((ulong)index.Count, (uint)index.Count);
            index.EndBatch();
        }
    }

    private static void Check(CuckooIndex index)
    {
        var found = 0;
        index.Validate((id, row) =>
        {
            Assert.Equal(id, row);
            found++;
        });
        Assert.Equal(index.Count, found);
    }
}
