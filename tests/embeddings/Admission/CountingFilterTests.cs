using Monolith.Embeddings.Admission;

namespace Monolith.Embeddings.Tests.Admission;

public sealed class CountingFilterTests
{
    [Fact]
    public void Counts_are_exact_until_ids_share_a_cell_and_never_too_small()
    {
        var filter = new CountingFilter(1 << 14);
        var wrong = 0;
        for (var round = 0; round < 3; round++)
        {
            for (var id = 0UL; id < 5000; id++)
            {
                var before = filter.Add(id * 977, 2);
                Assert.True(before >= Math.Min(15, round * 2));
                wrong += before != round * 2 ? 1 : 0;
            }
        }

        Assert.InRange(wrong, 0, 150);
    }

    /// <summary>Also of ids that share a cell: one that moves to a newer window leaves the other's count where it was.</summary>
    [Fact]
    public void Counts_stay_when_windows_slide()
    {
        var filter = new CountingFilter(1 << 10);
        for (var id = 0UL; id < 400; id++)
        {
            filter.Add(id, 1);
        }

        for (var round = 1; round < 8; round++)
        {
            // Others come between, so that each round is in a newer window.
            for (var other = 0UL; other < 300; other++)
            {
                filter.Add(100_000 + (((ulong)round * 1000) + other), 1);
            }

            for (var id = 0UL; id < 400; id++)
            {
                Assert.InRange(filter.Add(id, 1), round, 15);
            }
        }

        Assert.InRange(filter.State.Newest, 1, 6);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(14, 9)]
    [InlineData(15, 1, 1)]
    [InlineData(8, int.MaxValue - 8)]
    public void A_count_goes_no_further_than_a_cell_holds(params int[] occurrences)
    {
        var filter = new CountingFilter(1024);
        Array.ForEach(occurrences, n => filter.Add(1, n));
        Assert.Equal(15, filter.Count(1));
    }

    [Fact]
    public void Counts_of_ids_long_unseen_fade_and_those_of_ids_seen_now_stay()
    {
        var filter = new CountingFilter(1024);
        filter.Add(1, 3);
        filter.Add(2, 3);
        for (var id = 100UL; id < 10_000; id++)
        {
            filter.Add(id, 1);
            if (id % 300 == 0)
            {
                filter.Add(2, 0);
            }
        }

        Assert.Equal(0, filter.Count(1));
        Assert.Equal(3, filter.Count(2));
    }

    [Fact]
    public void A_filter_put_back_in_pieces_goes_on_exactly()
    {
        var random = new Random(1);
        var filter = new CountingFilter(1024);
        for (var i = 0; i < 2000; i++)
        {
            filter.Add((ulong)random.Next(1500), 1);
        }

        var (cells, newest, used) = filter.State;
        Assert.True(newest > 0 && used > 0);
        var again = new CountingFilter(1024);
        again.RestorePiece(newest, used, 0, cells.AsSpan(0, 5000));
        again.RestorePiece(newest, used, 5000, cells.AsSpan(5000));
        for (var i = 0; i < 5000; i++)
        {
            var id = (ulong)random.Next(3000);
            Assert.Equal(filter.Add(id, 1), again.Add(id, 1));
        }

        Assert.Equal(filter.State.Cells, again.State.Cells);
    }

    /// <summary>What another shard counted long ago fades here as soon as it would have there.</summary>
    [Fact]
    public void Merged_counts_keep_their_age()
    {
        var (from, into) = (new CountingFilter(1024), new CountingFilter(1024));
        var next = 1000UL;
        from.Add(1, 3);
        Slide(from, 5);
        from.Add(2, 4);
        Slide(into, 3);
        into.Add(3, 5);
        into.MergePiece(from.State.Newest, 0, from.State.Cells);
        Assert.Equal([3, 4, 5], new ulong[] { 1, 2, 3 }.Select(into.Count));
        Slide(into, 1);
        Assert.Equal([3, 4, 5], new ulong[] { 1, 2, 3 }.Select(into.Count));
        Slide(into, 1);
        Assert.Equal([0, 4, 5], new ulong[] { 1, 2, 3 }.Select(into.Count));
        Slide(into, 4);
        Assert.Equal([0, 4, 5], new ulong[] { 1, 2, 3 }.Select(into.Count));
        Slide(into, 1);
        Assert.Equal([0, 0, 0], new ulong[] { 1, 2, 3 }.Select(into.Count));

        void Slide(CountingFilter filter, int times)
        {
            for (var i = 0; i < times; i++)
            {
                for (var newest = filter.State.Newest; filter.State.Newest == newest;)
                {
                    filter.Add(next++, 1);
                }
            }
        }
    }
}
