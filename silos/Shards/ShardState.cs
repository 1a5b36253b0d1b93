using System.Buffers.Binary;
using System.Numerics.Tensors;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;
using Monolith.Embeddings;
using Monolith.Embeddings.Snapshots;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Shards;

/// <summary>One slice of the id space of all of a model's tables, with the offsets it is applied through.</summary>
public sealed class ShardState : ISyncedState, IDisposable
{
    // Rows looked at for expiry with each push, beside as many as were pushed. Sweeping with pushes, not with the clock,
    // makes a replay reproducible, and rows expire by event time: without pushes none would.
    private const int SweepRows = 64;

    // Copied in one go below; that takes about as long as a few pushes.
    private const long SmallRows = 10_000;

    private readonly ModelSpec _spec;
    private readonly int _shard;
    private readonly EmbeddingTable[] _tables;
    private readonly ServedRow[] _served;
    private readonly ChangeSet[] _changes;
    private readonly bool[] _expires;
    private bool _rowsChanged;

    /// <summary>An empty shard.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="shard">Which shard; 0 to the specification's number, exclusive.</param>
    public ShardState(ModelSpec spec, int shard)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _spec = spec;
        _shard = shard;
        var tables = spec.WithCanary();
        _tables = [.. tables.Select(t => new EmbeddingTable(t, spec.Seed))];
        _served = [.. tables.Select(t => new ServedRow(t))];
        _changes = [.. tables.Select(_ => new ChangeSet())];
        _expires = [.. tables.Select(t => t.Expiry is not null)];
        Layout = SpecLayout.Of(spec).Lines;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Layout { get; }

    /// <inheritdoc/>
    public AppliedOffsets Offsets { get; private set; } = new();

    /// <inheritdoc/>
    public long Version { get; private set; }

    /// <inheritdoc/>
    public bool HasDelta => _rowsChanged;

    /// <summary>Rows of each table, canary table last.</summary>
    public long[] Rows => [.. _tables.Select(t => t.Count)];

    /// <summary>Occurrences of ids that were ever learned from; canaries do not count.</summary>
    public long Occurrences { get; private set; }

    /// <summary>Memory of all tables.</summary>
    public long Bytes => _tables.Sum(t => t.Bytes);

    /// <summary>Reads rows; inserts nothing.</summary>
    /// <returns>float32: for each table in turn, count × dimension. The caller disposes.</returns>
    public Block Lookup(LookupRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        ShardMessages.Check(request, _tables);
        var ids = request.Ids.As<ulong>();
        var values = Block.Rent<float>(ShardMessages.Values(request.Counts, _tables));
        var into = values.As<float>();
        for (var t = 0; t < request.Counts.Length; t++)
        {
            var count = request.Counts[t];
            if (count > 0)
            {
                _tables[t].Lookup(ids[..count], into[..(count * _tables[t].Dimension)]);
                ids = ids[count..];
                into = into[(count * _tables[t].Dimension)..];
            }
        }

        return values;
    }

    /// <summary>Everything known of one id.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such table.</exception>
    /// <exception cref="ArgumentException">The id is another shard's, so nothing is known of it here.</exception>
    public RowReport Explain(int table, ulong id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(table);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(table, _tables.Length);
        return ShardMap.Of(id, _spec.Shards) == _shard
            ? ShardIntrospection.Of(_tables[table].Explain(id))
            : throw new ArgumentException($"Id {id} is kept by shard {ShardMap.Of(id, _spec.Shards)}; shard {_shard} was asked.", nameof(id));
    }

    /// <summary>What each table is made of; looks at every row.</summary>
    public TableReport[] Tables() => [.. _tables.Select(t => ShardIntrospection.Of(t.Spec.Name, t.Statistics()))];

    /// <summary>Refuses a push that cannot be right, before anything is touched.</summary>
    /// <exception cref="ArgumentException">What is wrong.</exception>
    public void Check(GradientPush push)
    {
        ArgumentNullException.ThrowIfNull(push);
        ShardMessages.Check(push, _tables);
        _ = Offsets.Check(push.Span);
    }

    /// <summary>Applies a checked push, once.</summary>
    /// <param name="push">Summed gradients.</param>
    /// <param name="expired">Rows that expired meanwhile.</param>
    public PushReply Push(GradientPush push, out int expired)
    {
        ArgumentNullException.ThrowIfNull(push);
        expired = 0;
        var reply = Offsets.TryApply(push.Span);
        if (reply.Outcome != PushOutcome.Applied)
        {
            return reply;
        }

        var ids = push.Ids.As<ulong>();
        Version += ids.Length > 0 || push.Span.Moves ? 1 : 0; // a watermark alone comes again by itself after a restore
        if (ids.Length > 0)
        {
            Update(push, ids);
            _rowsChanged = true;
        }

        for (var t = 0; t < _expires.Length; t++)
        {
            if (_expires[t])
            {
                expired += _tables[t].Expire(SweepRows + ids.Length);
            }
        }

        _rowsChanged |= expired > 0;
        return reply;
    }

    /// <inheritdoc/>
    public Delta? TakeDelta(long epoch, long sequence)
    {
        Span<DeltaTable> shapes = stackalloc DeltaTable[_tables.Length];
        for (var t = 0; t < _tables.Length; t++)
        {
            _changes[t].Clear();
            _tables[t].DrainChanges(_changes[t]);
            shapes[t] = new DeltaTable(_changes[t].Updated.Length, _changes[t].Deleted.Length, _served[t]);
        }

        _rowsChanged = false;
        if (Delta.LengthOf(shapes) > Delta.BytesMax)
        {
            return null;
        }

        var delta = Delta.Create(_spec.Name, _shard, epoch, sequence - 1, sequence, Offsets.WatermarkMs, shapes);
        for (var t = 0; t < _tables.Length; t++)
        {
            _changes[t].Updated.CopyTo(delta.Ids(t));
            _changes[t].Deleted.CopyTo(delta.Deleted(t));
            _tables[t].LookupServed(_changes[t].Updated, delta.Rows(t));
        }

        delta.Seal();
        return delta;
    }

    /// <inheritdoc/>
    public IStateCopy BeginCopy(bool increment)
    {
        // All tables or none: a table that no longer knows all its changes makes the copy a full one.
        var kind = increment && Array.TrueForAll(_tables, t => t.LastSnapshot != 0) ? SnapshotKind.Incremental : SnapshotKind.Full;
        return new ShardCopy(_tables, kind, inSteps: _tables.Sum(t => t.Count) > SmallRows, Rest());
    }

    /// <inheritdoc/>
    public void Load(Stream stream, AppliedOffsets offsets)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        foreach (var table in _tables)
        {
            if (table.LastSnapshot == 0)
            {
                table.Load(stream);
            }
            else
            {
                table.LoadIncrement(stream);
            }
        }

        Span<byte> occurrences = stackalloc byte[sizeof(long)];
        stream.ReadExactly(occurrences);
        Occurrences = BinaryPrimitives.ReadInt64LittleEndian(occurrences);

        Offsets = offsets;
    }

    /// <summary>Frees all memory.</summary>
    public void Dispose()
    {
        foreach (var table in _tables)
        {
            table.Dispose();
        }
    }

    // What follows the tables in a snapshot.
    private byte[] Rest()
    {
        var occurrences = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(occurrences, Occurrences);
        return occurrences;
    }

    private void Update(GradientPush push, ReadOnlySpan<ulong> ids)
    {
        ReadOnlySpan<float> gradients = push.Gradients.As<float>();
        ReadOnlySpan<int> occurrences = push.Occurrences.As<int>();
        ReadOnlySpan<uint> times = push.EventTimes.As<uint>();
        Occurrences += TensorPrimitives.Sum<int>(occurrences[..^push.Counts[^1]]);
        var at = 0;
        for (var t = 0; t < push.Counts.Length; t++)
        {
            var count = push.Counts[t];
            if (count > 0)
            {
                var width = count * _tables[t].Dimension;
                _tables[t].Update(ids.Slice(at, count), gradients[..width], occurrences.Slice(at, count), times.Slice(at, count));
                gradients = gradients[width..];
                at += count;
            }
        }
    }
}
