using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests.Admission;

public sealed class AdmissionTests
{
    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(5, 0.5)]
    [InlineData(20, 1)]
    public void By_share_admits_with_probability_occurrences_over_threshold(int occurrences, double expected) =>
        Assert.Equal(expected, Admitted(new AdmitByShare(10), pushes: 1, occurrences), 0.02);

    [Theory]
    [InlineData(1, 10, 0.95)]
    [InlineData(10, 1, 0.95)]
    [InlineData(5, 2, 0.95)]
    [InlineData(3, 1, 0.5929)]
    public void By_chance_admits_each_occurrence_alike_however_they_are_pushed(int pushes, int occurrences, double expected) =>
        Assert.Equal(expected, Admitted(new AdmitByChance(10), pushes, occurrences), 0.02);

    [Fact]
    public void What_is_admitted_by_chance_halfway_takes_its_share()
    {
        var spec = Specs.Table(Specs.Segment(1, new SgdOptimizer { LearningRate = 1 })) with { Admission = new AdmitByChance(4) };
        using var table = new EmbeddingTable(spec, seed: 1);
        for (var id = 0UL; id < 2000; id++)
        {
            table.Push(id, [4], occurrences: 4);
        }

        var values = table.Read([.. Enumerable.Range(0, 2000).Select(i => (ulong)i)]);
        Assert.Equal([-4f, -3f, -2f, -1f, 0f], values.Distinct().Order());
        Assert.Equal(1 - Math.Pow(0.05, 0.25), values.Count(x => x == -4) / 2000.0, 0.04);
    }

    private static double Admitted(AdmissionSpec admission, int pushes, int occurrences)
    {
        using var table = new EmbeddingTable(Specs.Table(Specs.Segment(1, new SgdOptimizer())) with { Admission = admission }, seed: 1);
        ulong[] ids = [.. Enumerable.Range(0, 20_000).Select(i => (ulong)i)];
        for (var push = 0; push < pushes; push++)
        {
            table.Update(ids, new float[ids.Length], [.. Enumerable.Repeat(occurrences, ids.Length)], new uint[ids.Length]);
        }

        return table.Count / 20_000.0;
    }
}
