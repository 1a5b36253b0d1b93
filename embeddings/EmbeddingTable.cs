using System.Runtime.InteropServices;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Admission;
using Monolith.Embeddings.Initialization;
using Monolith.Embeddings.Rows;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings;

/// <summary>
/// A collisionless table: every 64-bit id has a row of its own. One thread at a time.
/// </summary>
public sealed unsafe class EmbeddingTable : IDisposable
{
    private readonly RowInitializer _initializer;
    private readonly RowLayout _layout;
    private readonly RowStore _rows;
    private readonly TableContent _content;
    private readonly CountingFilter? _filter;
    private readonly int _threshold;
    private readonly uint _expirySeconds;
    private readonly Dictionary<ulong, Entry> _index = [];
    private readonly Dictionary<ulong, bool> _changed = [];
    private readonly List<ulong> _sweep = [];
    private int _swept;
    private uint _newestEventSeconds;
    private float[] _scaled = [];

    /// <summary>Creates an empty table.</summary>
    /// <param name="spec">The table's specification.</param>
    /// <param name="seed">Seeds initial values; equal on every shard, worker and replica of a model.</param>
    /// <param name="content">Whether rows carry optimizer state.</param>
    public EmbeddingTable(TableSpec spec, ulong seed, TableContent content = TableContent.Training)
    {
        ArgumentNullException.ThrowIfNull(spec);
        Spec = spec;
        _content = content;
        _initializer = new RowInitializer(spec, seed);
        _layout = new RowLayout(spec, content);
        _rows = new RowStore(_layout.Floats);
        _expirySeconds = spec.Expiry is { } expiry ? (uint)Math.Clamp(expiry.TotalSeconds, 1, uint.MaxValue) : 0;
        if (spec.Admission is AdmitAfter after && content == TableContent.Training)
        {
            _filter = new CountingFilter(1 << 17);
            _threshold = after.Threshold;
        }
    }

    /// <summary>The table's specification.</summary>
    public TableSpec Spec { get; }

    /// <summary>Values a row.</summary>
    public int Dimension => _layout.Dimension;

    /// <summary>Rows.</summary>
    public long Count => _index.Count;

    /// <summary>Memory held.</summary>
    public long Bytes => _rows.Bytes + (_index.Count * 40L) + (_filter?.Bytes ?? 0);

    /// <summary>Reads rows; an id without one reads the value its row would start from. Inserts nothing.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="values">ids × Dimension.</param>
    public void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        Shapes.Check(values.Length, ids.Length, Dimension, nameof(values));
        for (var i = 0; i < ids.Length; i++)
        {
            var into = values.Slice(i * Dimension, Dimension);
            if (_index.TryGetValue(ids[i], out var entry))
            {
                new ReadOnlySpan<float>(_rows[entry.Row], Dimension).CopyTo(into);
            }
            else
            {
                _initializer.Write(ids[i], into);
            }
        }
    }

    /// <summary>Applies gradients; ids are distinct. Ids without a row get one, once they are admitted.</summary>
    /// <param name="ids">Distinct ids.</param>
    /// <param name="gradients">ids × Dimension: summed over the id's occurrences.</param>
    /// <param name="occurrences">Occurrences an id's gradient sums, at least 1.</param>
    /// <param name="eventTimesSeconds">Newest event time of an id's occurrences, Unix seconds.</param>
    public void Update(
        ReadOnlySpan<ulong> ids, ReadOnlySpan<float> gradients, ReadOnlySpan<int> occurrences, ReadOnlySpan<uint> eventTimesSeconds)
    {
        Shapes.Check(gradients.Length, ids.Length, Dimension, nameof(gradients));
        Shapes.Check(occurrences.Length, ids.Length, 1, nameof(occurrences));
        Shapes.Check(eventTimesSeconds.Length, ids.Length, 1, nameof(eventTimesSeconds));
        Shapes.CheckTrains(_content);
        if (_scaled.Length < Dimension)
        {
            _scaled = new float[Dimension];
        }

        fixed (float* all = gradients, scaled = _scaled)
        {
            for (var i = 0; i < ids.Length; i++)
            {
                _newestEventSeconds = Math.Max(_newestEventSeconds, eventTimesSeconds[i]);
                var gradient = all + (i * Dimension);
                ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_index, ids[i]);
                if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry))
                {
                    var admitted = Admitted(ids[i], occurrences[i]);
                    if (admitted == 0)
                    {
                        continue;
                    }

                    if (admitted < occurrences[i])
                    {
                        // Some occurrences of this gradient still counted as refused: the rest take their share.
                        var share = (float)admitted / occurrences[i];
                        for (var d = 0; d < Dimension; d++)
                        {
                            scaled[d] = gradient[d] * share;
                        }

                        gradient = scaled;
                    }

                    entry = ref Insert(ids[i]);
                }

                entry.EventSeconds = Math.Max(entry.EventSeconds, eventTimesSeconds[i]);
                Apply(_rows[entry.Row], gradient);
                _changed[ids[i]] = true;
            }
        }
    }

    /// <summary>Sets values, inserting rows where there are none: how a replica follows a shard.</summary>
    /// <param name="ids">Distinct ids.</param>
    /// <param name="values">ids × Dimension.</param>
    public void Assign(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> values)
    {
        Shapes.Check(values.Length, ids.Length, Dimension, nameof(values));
        for (var i = 0; i < ids.Length; i++)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_index, ids[i]);
            if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry))
            {
                entry = ref Insert(ids[i]);
            }

            values.Slice(i * Dimension, Dimension).CopyTo(new Span<float>(_rows[entry.Row], Dimension));
            _changed[ids[i]] = true;
        }
    }

    /// <summary>Deletes rows; ids without one are passed over.</summary>
    public void Delete(ReadOnlySpan<ulong> ids)
    {
        foreach (var id in ids)
        {
            if (_index.Remove(id, out var entry))
            {
                _rows.Give(entry.Row);
                _changed[id] = false;
            }
        }
    }

    /// <summary>
    /// Goes on sweeping for rows whose last update lies the table's expiry or more behind the newest event time seen.
    /// </summary>
    /// <param name="maxRows">Rows to look at, at most: the bound of this call's work.</param>
    /// <returns>Rows freed.</returns>
    public int Expire(int maxRows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxRows);
        if (_expirySeconds == 0)
        {
            return 0;
        }

        if (_swept >= _sweep.Count)
        {
            _sweep.Clear();
            _sweep.AddRange(_index.Keys);
            _swept = 0;
        }

        var freed = 0;
        for (var end = Math.Min(_sweep.Count, _swept + maxRows); _swept < end; _swept++)
        {
            var id = _sweep[_swept];
            if (_index.TryGetValue(id, out var entry) && _newestEventSeconds - entry.EventSeconds >= _expirySeconds)
            {
                Delete([id]);
                freed++;
            }
        }

        return freed;
    }

    /// <summary>Hands over which ids changed since the last drain, each once.</summary>
    public void DrainChanges(ChangeSet into)
    {
        ArgumentNullException.ThrowIfNull(into);
        foreach (var (id, alive) in _changed)
        {
            if (alive)
            {
                into.AddUpdated(id);
            }
            else
            {
                into.AddDeleted(id);
            }
        }

        _changed.Clear();
    }

    /// <summary>Writes all rows and the admission filter; several tables may follow each other in one stream.</summary>
    public void Save(Stream stream)
    {
        var writer = new SnapshotWriter(stream);
        writer.Header(Spec, _initializer.Seed, _layout, _content, _newestEventSeconds, _index.Count);
        var floats = _layout.Floats;
        foreach (var (id, entry) in _index)
        {
            writer.Row(id, entry.EventSeconds, new ReadOnlySpan<float>(_rows[entry.Row], floats));
        }

        if (_filter is not null)
        {
            writer.Filter(_filter);
        }

        writer.End();
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into an empty table of the same layout.</summary>
    /// <exception cref="InvalidDataException">The snapshot is damaged or of another table; the message says how.</exception>
    public void Load(Stream stream)
    {
        if (_index.Count > 0)
        {
            throw new InvalidOperationException($"table '{Spec.Name}' holds {_index.Count} rows; a snapshot is loaded into an empty one");
        }

        try
        {
            SnapshotReader.Read(
                stream, Spec, _initializer.Seed, _layout, _filter, (id, seconds, floats) =>
                {
                    ref var entry = ref Insert(id);
                    entry.EventSeconds = seconds;
                    floats[.._layout.Floats].CopyTo(new Span<float>(_rows[entry.Row], _layout.Floats));
                },
                newest => _newestEventSeconds = newest);
        }
        catch
        {
            // Nothing of a damaged snapshot stays.
            foreach (var entry in _index.Values)
            {
                _rows.Give(entry.Row);
            }

            _index.Clear();
            throw;
        }
        finally
        {
            _changed.Clear();
        }
    }

    /// <summary>Frees all memory.</summary>
    public void Dispose() => _rows.Dispose();

    private int Admitted(ulong id, int occurrences)
    {
        if (_filter is null)
        {
            return occurrences;
        }

        var before = _filter.Add(id, occurrences);
        return Math.Clamp(before + occurrences - _threshold, 0, occurrences);
    }

    private ref Entry Insert(ulong id)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_index, id, out _);
        entry.Row = _rows.Take();
        var row = _rows[entry.Row];
        _initializer.Write(id, new Span<float>(row, Dimension));
        if (_content == TableContent.Training)
        {
            _layout.InitializeState(row);
        }

        return ref entry;
    }

    private void Apply(float* row, float* gradient)
    {
        for (var s = 0; s < _layout.Updaters.Length; s++)
        {
            _layout.Updaters[s].Apply(&row, &gradient, 1, _layout.Places[s], Spec.Segments[s].Optimizer.LearningRate);
        }
    }

    private struct Entry
    {
        public int Row;
        public uint EventSeconds;
    }
}
