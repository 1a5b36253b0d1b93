using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Embeddings;

namespace Monolith.Serving.Replica;

/// <summary>
/// One shard as a replica holds it: all tables at one (epoch, sequence). A reader and the follower take turns under a
/// lock that is held for one lookup or one delta.
/// </summary>
internal sealed class ReplicaShard : IDisposable
{
    private readonly Lock _gate = new();
    private readonly EmbeddingTable[] _tables;
    private readonly ulong _canaryId;
    private readonly ChangeSet _changes = new();
    private bool _retired;

    private ReplicaShard(ModelSpec spec, int shard, long epoch, long sequence, long watermarkMs)
    {
        Shard = shard;
        Epoch = epoch;
        Sequence = sequence;
        WatermarkMs = watermarkMs;
        _tables = [.. spec.WithCanary().Select(t => new EmbeddingTable(t, spec.Seed, TableContent.Values))];
        _canaryId = CanaryTable.IdOf(shard, spec.Shards);
    }

    public int Shard { get; }

    public long Epoch { get; }

    public long Sequence { get; private set; }

    public long WatermarkMs { get; private set; }

    /// <summary>The shard before anything was learned in an epoch that had no snapshot.</summary>
    public static ReplicaShard Empty(ModelSpec spec, int shard, long epoch) => new(spec, shard, epoch, 0, 0);

    /// <summary>The shard as a snapshot has it, with what that builds on, called by the epoch and sequence that it equals.</summary>
    /// <exception cref="InvalidDataException">The snapshot is damaged, or of another model or layout.</exception>
    public static ReplicaShard Load(ModelSpec spec, ReplicaLayout layout, int shard, long epoch, long sequence, string path)
    {
        using var chain = SnapshotChain.Open(path);
        layout.Require(chain.Header, $"shard-{shard}", path);
        var loaded = new ReplicaShard(spec, shard, epoch, sequence, chain.Header.WatermarkMs);
        try
        {
            foreach (var file in chain.Files)
            {
                loaded.Load(file);
            }

            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Applies the delta that continues from here.</summary>
    public void Apply(Delta delta)
    {
        lock (_gate)
        {
            if (delta.Epoch != Epoch || delta.FromSequence != Sequence)
            {
                throw new InvalidOperationException(
                    $"delta {delta.Epoch}:{delta.FromSequence}→{delta.Sequence} does not continue shard {Shard} at {Epoch}:{Sequence}");
            }

            for (var t = 0; t < _tables.Length; t++)
            {
                _tables[t].AssignServed(delta.Ids(t), delta.Rows(t));
                _tables[t].Delete(delta.Deleted(t));

                // Nobody follows a replica: what the table notes of its changes is let go.
                _tables[t].DrainChanges(_changes);
                _changes.Clear();
            }

            Sequence = delta.Sequence;
            WatermarkMs = delta.WatermarkMs;
        }
    }

    /// <summary>What it holds was learned through a later time: nothing changed meanwhile.</summary>
    /// <param name="sequence">The sequence of which that is said; at another one nothing happens.</param>
    /// <param name="watermarkMs">The time.</param>
    public void Advance(long sequence, long watermarkMs)
    {
        lock (_gate)
        {
            WatermarkMs = Sequence == sequence ? Math.Max(WatermarkMs, watermarkMs) : WatermarkMs;
        }
    }

    /// <summary>Reads rows of all tables at one version.</summary>
    /// <param name="ids">Ids grouped by table.</param>
    /// <param name="counts">Ids of each table.</param>
    /// <param name="values">Rows in the order of the ids.</param>
    /// <param name="version">What was read.</param>
    /// <returns>False when the shard was replaced meanwhile: read its successor.</returns>
    public bool TryRead(ReadOnlySpan<ulong> ids, ReadOnlySpan<int> counts, Span<float> values, out ReplicaVersion version)
    {
        lock (_gate)
        {
            version = new ReplicaVersion(Shard, Epoch, Sequence, WatermarkMs);
            if (_retired)
            {
                return false;
            }

            for (var t = 0; t < counts.Length; t++)
            {
                var width = counts[t] * _tables[t].Dimension;
                _tables[t].Lookup(ids[..counts[t]], values[..width]);
                ids = ids[counts[t]..];
                values = values[width..];
            }

            return true;
        }
    }

    /// <summary>When the newest canary that reached this shard was sent; 0 before the first.</summary>
    public long CanaryMs()
    {
        Span<float> row = stackalloc float[2];
        lock (_gate)
        {
            if (!_retired)
            {
                _tables[^1].Lookup([_canaryId], row);
            }
        }

        return CanaryTable.Decode(row);
    }

    /// <summary>Rows of each table, canary table last.</summary>
    public long[] Rows()
    {
        lock (_gate)
        {
            return _retired ? new long[_tables.Length] : [.. _tables.Select(t => t.Count)];
        }
    }

    /// <summary>Memory of all tables, in bytes.</summary>
    public long Bytes()
    {
        lock (_gate)
        {
            return _retired ? 0 : _tables.Sum(t => t.Bytes);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _retired = true;
            foreach (var table in _tables)
            {
                table.Dispose();
            }
        }
    }

    private void Load(SnapshotFile file)
    {
        foreach (var table in _tables)
        {
            if (file.Header.BuildsOn is null)
            {
                table.Load(file.Body);
            }
            else
            {
                table.LoadIncrement(file.Body);
            }
        }

        // What follows the tables is the shard's own bookkeeping.
        Span<byte> occurrences = stackalloc byte[sizeof(long)];
        file.Body.ReadExactly(occurrences);
        file.RequireEnd();
    }
}
