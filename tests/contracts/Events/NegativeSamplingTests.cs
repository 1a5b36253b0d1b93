using System.Text;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;

namespace Monolith.Contracts.Tests.Events;

public sealed class NegativeSamplingTests
{
    private const int Requests = 4000;
    private const int Items = 10;

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.97)]
    public void A_share_is_kept_of_every_list_and_never_a_list_as_a_whole(double rate)
    {
        var kept = Kept(Sampling(rate));
        var (share, expected) = (kept.Average(), Items * rate);
        Assert.InRange(share, expected - (0.03 * Items * Math.Sqrt(rate * (1 - rate))), expected + (0.03 * Items * Math.Sqrt(rate * (1 - rate))));

        // Items are drawn one by one: the number kept of a list varies as a binomial does.
        var variance = kept.Average(k => (k - expected) * (k - expected));
        Assert.InRange(variance / (Items * rate * (1 - rate)), 0.85, 1.15);
    }

    [Fact]
    public void The_same_are_kept_every_time_and_others_with_another_seed_or_task()
    {
        var first = Kept(Sampling(0.5));
        Assert.Equal(first, Kept(Sampling(0.5)));
        Assert.NotEqual(first, Kept(Sampling(0.5, seed: 2)));
        Assert.NotEqual(first, Kept(Sampling(0.5, task: "buy")));
    }

    [Fact]
    public void At_a_rate_of_one_everything_is_kept_and_a_lower_rate_keeps_some_of_what_a_higher_one_does()
    {
        Assert.All(Kept(Sampling(1)), k => Assert.Equal(Items, k));
        var (low, high) = (Sampling(0.2), Sampling(0.6));
        for (var i = 0; i < 1000; i++)
        {
            var request = Encoding.UTF8.GetBytes($"r{i}");
            Assert.True(high.Keeps(request, "a"u8) || !low.Keeps(request, "a"u8));
        }
    }

    private static int[] Kept(NegativeSampling sampling) =>
        [.. Enumerable.Range(0, Requests).Select(r => Enumerable.Range(0, Items)
            .Count(i => sampling.Keeps(Encoding.UTF8.GetBytes($"r{r}"), Encoding.UTF8.GetBytes($"i{i}"))))];

    private static NegativeSampling Sampling(double rate, ulong seed = 1, string task = "click")
    {
        var spec = new ModelSpec
        {
            Name = "shop",
            Seed = seed,
            PartitionBy = "user",
            Features = [],
            Tables = [],
            Network = new DeepFmNetwork(),
            Tasks = [new TaskSpec { Name = task, Label = task, KeepNegatives = rate }],
        };
        return new NegativeSampling(spec, spec.Tasks[0]);
    }
}
