using System.Runtime.InteropServices;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Initialization;
using Monolith.Embeddings.Memory;
using Monolith.Embeddings.Optimizers;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <summary>
/// A collisionless table: every 64-bit id has a row of its own. One thread at a time.
/// </summary>
/// <remarks>
/// The index (<see cref="CuckooIndex"/>) leads from ids to row numbers; rows (<see cref="RowLayout"/>) lie in slabs off the
/// managed heap. A batch goes through in blocks of <see cref="Block"/> ids, of which <see cref="Stages"/> are under way at any
/// time, so that nothing waits for memory.
/// </remarks>
public sealed unsafe partial class EmbeddingTable : IDisposable
{
    private readonly RowInitializer _initializer;
    private readonly RowLayout _layout;
    private readonly RowCodec _floats;
    private readonly IdHash? _fixedHash;
    private UnitStore _rows;
    private CuckooIndex _index;
    private readonly TableContent _content;
    private readonly Admission.Admission? _admission;
    private bool _disposed;

    /// <summary>Creates an empty table.</summary>
    /// <param name="spec">The table's specification.</param>
    /// <param name="seed">Seeds initial values; equal on every shard, worker and replica of a model.</param>
    /// <param name="content">Whether rows carry optimizer state.</param>
    public EmbeddingTable(TableSpec spec, ulong seed, TableContent content = TableContent.Training)
        : this(spec, seed, content, null)
    {
    }

    internal EmbeddingTable(TableSpec spec, ulong seed, TableContent content, IdHash? hash)
    {
        ArgumentNullException.ThrowIfNull(spec);
        Spec = spec;
        _content = content;
        _initializer = new RowInitializer(spec, seed);
        _layout = new RowLayout(spec, content);
        _contexts = new StepContext[spec.Segments.Length];
        _fixedHash = hash;
        (_index, _rows) = Empty();
        _expirySeconds = spec.Expiry is { } expiry ? (uint)Math.Clamp(expiry.TotalSeconds, 1, uint.MaxValue) : 0;
        _admission = _layout.Trains ? Embeddings.Admission.Admission.Create(spec.Admission) : null;
        _floats = new RowCodec(new RowRun(RowPrecision.Float32, Dimension));
        _scaled = (float*)NativeMemory.AlignedAlloc((nuint)(((2 * Block) + 1) * Dimension * sizeof(float)), 64);
        _wide = _scaled + (Block * Dimension);
        _initial = _wide + (Block * Dimension);
    }

    /// <summary>Frees what was forgotten to be disposed.</summary>
    ~EmbeddingTable() => Free();

    /// <summary>The table's specification.</summary>
    public TableSpec Spec { get; }

    /// <summary>Values a row.</summary>
    public int Dimension => _layout.Dimension;

    /// <summary>Rows.</summary>
    public long Count => _index.Count;

    /// <summary>Memory held, in bytes.</summary>
    public long Bytes => _rows.Bytes + _index.Bytes + (_admission?.Filter?.Bytes ?? 0) + _updatedIds.Bytes + _deletedIds.Bytes + _deletedSinceSnapshot.Bytes;

    internal bool IsDisposed => _disposed;

    internal CuckooIndex Index => _index;

    internal UnitStore Rows => _rows;

    /// <summary>Deletes rows; ids without one are passed over.</summary>
    public void Delete(ReadOnlySpan<ulong> ids)
    {
        ThrowIfDisposed();
        foreach (var id in ids)
        {
            Remove(id, Leaving.Deleted);
        }

        _index.EndBatch();
    }

    /// <summary>Frees all memory.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private (CuckooIndex Index, UnitStore Rows) Empty() => (
        new CuckooIndex(SlabPool.Shared, _fixedHash ?? IdHash.Random()),
        new UnitStore(SlabPool.Shared, _layout.RowBytes, _layout.Trains ? RowMarks.Bytes : 0));

    private void Free()
    {
        if (!_disposed)
        {
            _disposed = true;
            _index?.Dispose();
            _rows?.Dispose();
            NativeMemory.AlignedFree(_scaled);
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    private bool Remove(ulong id, Leaving why)
    {
        if (_snapshot is not null && _index.TryFind(id, out var leaving))
        {
            Capture(id, leaving);
        }

        if (!_index.Remove(id, out var row))
        {
            return false;
        }

        NoteDeparture(id, why, row);
        _rows.Give(row);
        NoteDeleted(id);
        return true;
    }

    /// <summary>A new row for an id that has none, at its initial value.</summary>
    private uint Insert(ulong id)
    {
        var row = _rows.Take();
        var address = _rows.Address(row);
        if (_layout.Values.IsFloats)
        {
            _initializer.Write(id, new Span<float>(address, Dimension));
        }
        else
        {
            _initializer.Write(id, new Span<float>(_initial, Dimension));
            _layout.Values.Write(_initial, address);
        }

        if (_layout.Trains)
        {
            _layout.InitializeState(address);
            RowMarks.Set(_rows.Side(row), 0, 0, 0);
        }

        try
        {
            _index.Insert(id, row);
        }
        catch
        {
            // No memory for the index: the id has no row then.
            _rows.Give(row);
            throw;
        }

        if (_snapshot is not null)
        {
            PassOver(id, row);
        }

        return row;
    }
}
