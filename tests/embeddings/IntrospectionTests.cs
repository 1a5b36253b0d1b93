using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests;

public sealed class IntrospectionTests
{
    private static readonly TableSpec Spec = Specs.Table(Specs.Segment(2, new SgdOptimizer { LearningRate = 1 }))
        with
    { Admission = new AdmitAfter(2), Expiry = TimeSpan.FromHours(1) };

    [Fact]
    public void One_id_is_explained_from_its_first_occurrence_to_its_expiry()
    {
        using var table = new EmbeddingTable(Spec, seed: 1);
        Assert.Equal(IdStanding.Unknown, table.Explain(7).Standing);
        table.Push(7, [1, 2], occurrences: 2, seconds: 5000);
        var refused = table.Explain(7);
        Assert.Equal((IdStanding.Refused, 2), (refused.Standing, refused.Occurrences));
        table.Push(7, [1, 2], seconds: 6000);
        var present = table.Explain(7);
        Assert.Equal((IdStanding.Present, 1, 6000u), (present.Standing, present.Occurrences, present.LastSeconds!.Value));
        Assert.Equal([-1f, -2f], present.Values);
        table.Push(8, [0, 0], occurrences: 9, seconds: 6000 + 3600);
        Assert.Equal(1, table.Expire(100));
        var gone = table.Explain(7);
        Assert.Equal(new Departure(7, Leaving.Expired, 9600, 6000, 1), gone.Departure);
        table.Delete([8]);
        Assert.Equal(Leaving.Deleted, table.Explain(8).Departure!.Value.Why);
    }

    /// <summary>Thirteen bits hold it: an id seen more often than that is not taken for a rare one.</summary>
    [Theory]
    [InlineData(8000, 191, 8191)]
    [InlineData(8000, 192, 8191)]
    [InlineData(8191, int.MaxValue, 8191)]
    [InlineData(1, 2, 3)]
    public void Occurrences_are_told_apart_up_to_a_bound(int first, int second, int expected)
    {
        using var table = new EmbeddingTable(Spec with { Admission = new AdmitAll() }, seed: 1);
        table.Push(7, [1, 2], first);
        table.Push(7, [1, 2], second);
        Assert.Equal(expected, table.Explain(7).Occurrences);
    }

    [Fact]
    public void Statistics_add_up()
    {
        using var table = new EmbeddingTable(Spec with { Admission = new AdmitAll() }, seed: 1);
        for (var id = 0UL; id < 50_000; id++)
        {
            table.Push(id, [1, 2], occurrences: 1 + (int)(id % 4), seconds: 100_000 - (uint)(id % 2 * 300));
        }

        var found = table.Statistics();
        Assert.Equal(50_000, found.Rows);
        Assert.Equal(50_000 * 8, found.ValueBytes);
        Assert.Equal(table.Bytes, found.RowBytes + found.IndexBytes + found.FilterBytes + found.ChangeBytes);
        Assert.InRange(found.Load, 0.6, 0.97);
        Assert.InRange(found.LoadBeforeGrowth.Least, 0.95, 1);
        Assert.InRange(found.FirstBucketShare, 0.7, 1);
        Assert.Equal([25_000L, 0, 25_000], found.RowsByAge.Take(3));
        Assert.Equal([12_500L, 25_000, 12_500], found.RowsByOccurrences.Take(3));
    }

    [Fact]
    public void Ids_without_rows_read_as_zeros_where_the_table_says_so()
    {
        var spec = Specs.Table(Specs.Segment(2, new SgdOptimizer(), new ConstantInitializer(3))) with { Unseen = UnseenValue.Zeros };
        using var table = new EmbeddingTable(spec, seed: 1);
        Assert.Equal([0f, 0f], table.Read(1));
        table.Push(1, [0, 0]);
        Assert.Equal([3f, 3f], table.Read(1));
    }
}
