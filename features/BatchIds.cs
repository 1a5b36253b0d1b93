using System.Numerics;
using Monolith.Contracts.Specification;

namespace Monolith.Features;

/// <summary>
/// The distinct ids of a batch, grouped as shards and tables want them, and where each occurrence finds its row. Reused
/// from batch to batch: once its arrays have grown to the largest batch it allocates nothing. One thread at a time.
/// </summary>
/// <remarks>
/// <para>Rows are ordered by shard, within a shard by table, within that by first occurrence (so the order is the same on
/// every run). With S shards and T tables, the canary table last and always empty here:</para>
/// <code>
/// Ids          [ shard 0: table 0 … | table 1 … | canary ][ shard 1: table 0 … | … ] …
/// Occurrences  how often each of these occurs in the batch
/// Rows[o]      for the o-th of FeatureBatch.AllIds, the place of its row in the order above
/// Counts(s)    the T group sizes of shard s: what a lookup or push of the shard carries
/// </code>
/// <para>One shard groups by table alone. An id that occurs in two tables is two rows. Ids that a batch's examples share
/// (<see cref="FeatureBatch.SharedRange"/>) come first and are one occurrence each.</para>
/// </remarks>
public sealed class BatchIds
{
    private const int SmallestBatch = 256;
    private static readonly ulong Key = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
    private readonly int[] _tableOf;
    private readonly int[] _counts;
    private readonly int[] _starts;
    private readonly int[] _next;

    // Of each occurrence: its row. Of each distinct (table, id) in order of first occurrence: id, group, table, count, then row.
    private int[] _rows = [];
    private ulong[] _seen = [];
    private int[] _group = [];
    private int[] _table = [];
    private int[] _count = [];
    private int[] _place = [];

    // The rows in their order.
    private ulong[] _ids = [];
    private int[] _occurrences = [];

    // Open addressing over the distinct ones; an entry counts only if it was stamped for this batch, so nothing is cleared.
    private long[] _slots = [];
    private int _stamp;

    /// <summary>Prepares for the batches of an extractor.</summary>
    /// <param name="extractor">Says which table each feature's rows are in.</param>
    /// <param name="shards">A power of two; 1 groups by table alone.</param>
    public BatchIds(FeatureExtractor extractor, int shards)
    {
        ArgumentNullException.ThrowIfNull(extractor);
        ArgumentOutOfRangeException.ThrowIfLessThan(shards, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(BitOperations.IsPow2(shards), true, nameof(shards));
        _tableOf = [.. Enumerable.Range(0, extractor.Embedded.Count).Select(extractor.TableOf)];
        Shards = shards;
        Tables = extractor.TableCount;
        _counts = new int[Shards * Tables];
        _starts = new int[(Shards * Tables) + 1];
        _next = new int[Shards * Tables];
        Reserve(SmallestBatch);
    }

    /// <summary>S, shards.</summary>
    public int Shards { get; }

    /// <summary>T, tables, the canary table included.</summary>
    public int Tables { get; }

    /// <summary>Distinct rows.</summary>
    public int Count => _starts[^1];

    /// <summary>The rows' ids, in the order of the remarks.</summary>
    public ReadOnlySpan<ulong> Ids => _ids.AsSpan(0, Count);

    /// <summary>How often each row occurs in the batch.</summary>
    public ReadOnlySpan<int> Occurrences => _occurrences.AsSpan(0, Count);

    /// <summary>For each of <see cref="FeatureBatch.AllIds"/>, the place of its row.</summary>
    public ReadOnlySpan<int> Rows => _rows.AsSpan(0, OccurrenceCount);

    /// <summary>Occurrences in the batch: the length of <see cref="FeatureBatch.AllIds"/>.</summary>
    public int OccurrenceCount { get; private set; }

    /// <summary>Rows of each table in a shard.</summary>
    public ReadOnlySpan<int> Counts(int shard) => _counts.AsSpan(shard * Tables, Tables);

    /// <summary>Which rows are a shard's.</summary>
    public Range Of(int shard) => _starts[shard * Tables].._starts[(shard + 1) * Tables];

    /// <summary>Which rows are a table's in a shard.</summary>
    public Range Of(int shard, int table) => _starts[(shard * Tables) + table].._starts[(shard * Tables) + table + 1];

    /// <summary>Groups the ids of a batch; what was there before is gone.</summary>
    public void Build(FeatureBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentOutOfRangeException.ThrowIfNotEqual(batch.EmbeddedFeatures, _tableOf.Length, nameof(batch));
        var all = batch.AllIds;
        Reserve(all.Length);
        Array.Clear(_counts);
        OccurrenceCount = all.Length;
        var distinct = FindDistinct(batch, all);
        var start = 0;
        for (var g = 0; g < _counts.Length; g++)
        {
            _starts[g] = _next[g] = start;
            start += _counts[g];
        }

        _starts[^1] = start;
        for (var d = 0; d < distinct; d++)
        {
            var row = _place[d] = _next[_group[d]]++;
            _ids[row] = _seen[d];
            _occurrences[row] = _count[d];
        }

        foreach (ref var row in _rows.AsSpan(0, all.Length))
        {
            row = _place[row];
        }
    }

    private int FindDistinct(FeatureBatch batch, ReadOnlySpan<ulong> all)
    {
        var (distinct, o) = (0, 0);
        for (var f = 0; f < _tableOf.Length; f++)
        {
            for (var end = batch.SharedRange(f).End.Value; o < end; o++)
            {
                _rows[o] = Find(_tableOf[f], all[o], ref distinct);
            }
        }

        // A range of shared ids ends before what has been read by now.
        for (var e = 0; e < batch.Count; e++)
        {
            for (var f = 0; f < _tableOf.Length; f++)
            {
                for (var end = batch.Range(e, f).End.Value; o < end; o++)
                {
                    _rows[o] = Find(_tableOf[f], all[o], ref distinct);
                }
            }
        }

        return distinct;
    }

    private int Find(int table, ulong id, ref int distinct)
    {
        // Fibonacci hashing: ids are hashes already, so the top bits of one multiplication spread them. The key is drawn once
        // a process, because whoever chooses ids could otherwise choose those that meet in few slots. It decides only where an
        // id is looked for, never the order of rows.
        var mask = _slots.Length - 1;
        var slot = (int)((((id ^ Key) + (ulong)table) * 0x9e3779b97f4a7c15UL) >> (64 - BitOperations.Log2((uint)_slots.Length)));
        for (; ; slot = (slot + 1) & mask)
        {
            var entry = _slots[slot];
            if ((int)(entry >> 32) != _stamp)
            {
                break;
            }

            var found = (int)entry;
            if (_seen[found] == id && _table[found] == table)
            {
                _count[found]++;
                return found;
            }
        }

        var group = (ShardMap.Of(id, Shards) * Tables) + table;
        _slots[slot] = ((long)_stamp << 32) | (uint)distinct;
        _seen[distinct] = id;
        _group[distinct] = group;
        _table[distinct] = table;
        _count[distinct] = 1;
        _counts[group]++;
        return distinct++;
    }

    private void Reserve(int occurrences)
    {
        if (_rows.Length < occurrences)
        {
            var size = (int)BitOperations.RoundUpToPowerOf2((uint)occurrences);
            _rows = new int[size];
            _seen = new ulong[size];
            _group = new int[size];
            _table = new int[size];
            _count = new int[size];
            _place = new int[size];
            _ids = new ulong[size];
            _occurrences = new int[size];
            _slots = new long[2 * size];
            _stamp = 0;
        }

        if (++_stamp == int.MaxValue)
        {
            Array.Clear(_slots);
            _stamp = 1;
        }
    }
}
