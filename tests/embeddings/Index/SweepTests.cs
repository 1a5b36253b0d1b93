using Monolith.Embeddings.Index;
using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Tests.Index;

/// <summary>
/// Snapshots and expiry read the index a piece at a time while ids come and go: sub-tables grow, split, shrink and merge
/// between two reads, before the cursor and behind it.
/// </summary>
public sealed class SweepTests
{
    private const int All = 120_000;
    private const int WholeSubTable = CuckooIndex.MaxEntries + CuckooIndex.EntriesPerRead;

    [Theory]
    [InlineData(WholeSubTable, 1, true)]
    [InlineData(WholeSubTable, 1, false)]
    [InlineData(60, 150, true)]
    [InlineData(60, 20, false)]
    public void What_stays_is_read_although_the_index_is_rebuilt_meanwhile(int room, int readsBetween, bool shrinks)
    {
        for (var round = 0U; round < 12; round++)
        {
            using var index = new CuckooIndex(SlabPool.Shared, new IdHash(round, 2, 3));
            for (var i = 0U; i < All; i++)
            {
                if (shrinks || Stays(i))
                {
                    index.Insert(i, i);
                }
            }

            index.EndBatch();
            var before = index.SubTables;
            var times = Swept(index, room, readsBetween, i => Change(index, i, shrinks));
            Assert.True(shrinks ? index.SubTables < before : index.SubTables > before);
            var stayed = times.Where((_, i) => Stays((uint)i)).ToArray();
            // An insertion may move an id to a bucket of the same sub-table that was read already: expiry finds it the next time.
            Assert.InRange(stayed.Count(n => n == 0), 0, room < WholeSubTable && !shrinks ? stayed.Length / 100 : 0);
            // A sub-table that is rebuilt while the cursor is inside is read again from its start.
            Assert.True(room < WholeSubTable || stayed.All(n => n == 1));
        }
    }

    private static bool Stays(uint i) => i % 16 == 0;

    private static void Change(CuckooIndex index, uint id, bool shrinks)
    {
        if (shrinks)
        {
            index.Remove(id, out _);
        }
        else
        {
            index.Insert(id, id);
        }
    }

    /// <summary>How often each id was read in one sweep, a part of the others being changed every few reads.</summary>
    private static int[] Swept(CuckooIndex index, int room, int readsBetween, Action<uint> change)
    {
        var times = new int[All];
        var entries = new IndexEntry[room];
        var cursor = new SweepCursor { Generation = -1 };
        var next = 0U;
        bool wrapped;
        var reads = 0;
        do
        {
            var read = index.Read(ref cursor, entries, out wrapped);
            foreach (var entry in entries.AsSpan(0, read))
            {
                Assert.Equal(entry.Id, (ulong)entry.Row);
                times[entry.Id]++;
            }

            if (++reads % readsBetween == 0)
            {
                for (var end = Math.Min(All, next + (All / 5)); next < end; next++)
                {
                    if (!Stays(next))
                    {
                        change(next);
                    }
                }

                index.EndBatch();
            }

            Assert.True(reads < All);
        }
        while (!wrapped);
        return times;
    }
}
