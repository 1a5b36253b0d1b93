using CsCheck;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class ImpressionStoreTests
{
    private static readonly Gen<(int Window, byte[] Bytes, bool Drop)[]> Steps =
        Gen.Select(Gen.Int[0, 5], Gen.Byte.Array[1, 90], Gen.Frequency((20, Gen.Const(false)), (1, Gen.Const(true)))).Array[1, 100];

    [Fact]
    public void What_was_put_is_read_back_until_its_window_is_dropped_and_dropping_all_leaves_nothing()
        => Steps.Sample(
            steps =>
            {
                var memory = new JoinMemory(200, 64);
                using var store = new ImpressionStore(memory);
                var kept = new List<(long Window, StoredImpression Stored, byte[] Bytes)>();
                foreach (var (window, bytes, drop) in steps)
                {
                    kept.Add((window, store.Put(window, bytes), bytes));
                    if (drop)
                    {
                        store.DropBefore(window);
                        kept.RemoveAll(k => k.Window < window);
                    }

                    Assert.All(kept, k => Assert.True(store.Get(k.Window, k.Stored).SequenceEqual(k.Bytes)));
                }

                store.DropBefore(long.MaxValue);
                return (memory.UsedBytes, store.SpilledBytes) == (0, 0);
            },
            iter: 300);

    [Fact]
    public void What_closes_last_leaves_memory_first()
    {
        // Four windows of three blocks each; there is room for eight.
        using var store = new ImpressionStore(new JoinMemory(8 * 64, 64));
        for (var i = 0; i < 12; i++)
        {
            store.Put(i / 3, new byte[64]);
        }

        var spilled = store.SpilledBytes;
        Assert.True(spilled >= 3 * 64);
        store.DropBefore(2);
        Assert.Equal(spilled, store.SpilledBytes);
    }

    [Fact]
    public void Many_pending_lists_stay_within_the_budget_and_the_rest_is_on_disk_until_its_window_is_dropped()
    {
        // 50,000 lists of ten items, 600 bytes each: 30 MB, in 2 MiB.
        const int Budget = 2 << 20;
        const int Windows = 16;
        var memory = new JoinMemory(Budget);
        using var store = new ImpressionStore(memory);
        var list = new byte[600];
        var stored = new StoredImpression[50_000];
        var most = 0L;
        for (var i = 0; i < stored.Length; i++)
        {
            BitConverter.TryWriteBytes(list, i);
            stored[i] = store.Put(i % Windows, list);
            most = Math.Max(most, memory.UsedBytes);
        }

        // A block over it, and the block each window writes to.
        Assert.InRange(most, Budget, Budget + ((Windows + 1) * memory.BlockBytes));
        Assert.True(store.SpilledBytes > 25_000_000);
        Assert.All(Enumerable.Range(0, stored.Length), i => Assert.Equal(i, BitConverter.ToInt32(store.Get(i % Windows, stored[i]))));
        store.DropBefore(Windows / 2);
        Assert.InRange(store.SpilledBytes, 12_000_000, 16_000_000);
        store.DropBefore(Windows);
        Assert.Equal((0, 0), (memory.UsedBytes, store.SpilledBytes));
    }
}
