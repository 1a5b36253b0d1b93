using System.Runtime.CompilerServices;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Initialization;
using Monolith.Embeddings.Memory;
using Monolith.Embeddings.Optimizers;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>Staying within a budget.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Rows drawn for each one that is evicted: among so many, the worst is near the table's worst few percent.</summary>
    private const int Candidates = 32;

    private ulong _draw = Mixer.Golden;

    /// <summary>Rows that left because the budget was reached.</summary>
    public long Evicted { get; private set; }

    /// <summary>
    /// Evicts rows until the table is within its budget. Called after a batch, so a batch may overshoot by its own rows.
    /// </summary>
    private void KeepWithinBudget()
    {
        // A replica does what its shard does, evictions included: what it dropped by itself would be missing there.
        if (Spec.Budget is not { } budget || !_layout.Trains)
        {
            return;
        }

        var most = MostRows(budget);
        while (Count > most)
        {
            Evict(budget.Evict);
        }
    }

    /// <summary>
    /// The rows a budget allows. A row's share of the index is taken at its emptiest, and the slabs that rows and index have
    /// begun on are set aside, so that what is really held stays below.
    /// </summary>
    private long MostRows(BudgetSpec budget)
    {
        const int IndexBytesPerRow = 17;
        const long SlabsBegun = 2 * SlabPool.SlabBytes;
        var byRows = budget.MaxRows ?? long.MaxValue;
        var byBytes = budget.MaxBytes is { } bytes
            ? Math.Max(1, (bytes - SlabsBegun) / (_layout.RowBytes + RowMarks.Bytes + IndexBytesPerRow))
            : long.MaxValue;
        return Math.Min(byRows, byBytes);
    }

    [SkipLocalsInit]
    private void Evict(EvictionOrder order)
    {
        Span<IndexEntry> drawn = stackalloc IndexEntry[Candidates];
        var count = _index.Draw(drawn, ref _draw);
        var worst = 0;
        var least = float.MaxValue;
        for (var i = 0; i < count; i++)
        {
            var rank = Rank(order, drawn[i].Row);
            if (rank < least)
            {
                (worst, least) = (i, rank);
            }
        }

        Remove(drawn[worst].Id, Leaving.Evicted);
        Evicted++;
    }

    /// <summary>The smaller, the sooner a row leaves.</summary>
    private float Rank(EvictionOrder order, uint row)
    {
        switch (order)
        {
            case EvictionOrder.LeastRecentlyUsed:
                // Whole seconds before the newest event: exact where it matters, near it.
                return -(float)(_newestEventSeconds - RowMarks.Seconds(_rows.Side(row)));
            case EvictionOrder.LeastFrequentlyUsed:
                return RowMarks.Occurrences(_rows.Side(row));
            default:
                _layout.Values.Read(_rows.Address(row), _initial);
                return Lanes.SumOfSquares<VectorLane>(_initial, Dimension);
        }
    }
}
