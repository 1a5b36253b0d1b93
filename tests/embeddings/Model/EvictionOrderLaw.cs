using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests.Model;

/// <summary>
/// The law of evictions: the worst of some thirty rows drawn at random leaves, so few of the rows that stay are worse than one
/// that left. Were rows evicted in no order, half of them would be.
/// </summary>
internal sealed class EvictionOrderLaw(EvictionOrder order)
{
    private double _worse;
    private double _pairs;
    private int _evicted;

    public void Add(IEnumerable<ModelRow> gone, IEnumerable<ModelRow> kept)
    {
        var ranks = kept.Select(Rank).ToArray();
        Array.Sort(ranks);
        foreach (var row in gone)
        {
            var rank = Rank(row);
            var at = Array.BinarySearch(ranks, rank);
            for (at = at < 0 ? ~at : at; at > 0 && ranks[at - 1] == rank; at--)
            {
            }

            _worse += at;
            _pairs += ranks.Length;
            _evicted++;
        }
    }

    public void Check()
    {
        if (_evicted >= 100)
        {
            Assert.True(_worse / _pairs < 0.12, $"{_worse / _pairs:P1} of the rows kept were worse than one that left ({order})");
        }
    }

    private double Rank(ModelRow row) => order switch
    {
        EvictionOrder.LeastRecentlyUsed => row.Seconds,
        EvictionOrder.LeastFrequentlyUsed => row.Occurrences,
        _ => row.Values.Sum(x => (double)x * x),
    };
}
