using System.Runtime.InteropServices;
using Monolith.Embeddings.Index;

namespace Monolith.Embeddings.Snapshots;

/// <summary>
/// A snapshot under way: the table as it was when it began, whatever is updated meanwhile. The table's owner calls
/// <see cref="Step"/> between batches, on the table's thread.
/// </summary>
/// <remarks>
/// The snapshot passes over the index in the order of hash prefixes, a sub-table a step. A row that changes (or goes) before
/// the snapshot has come to it first leaves its pre-image: it goes into the snapshot at once, and is passed over later. So
/// what is written is the table at one version, and no call copies more than it touches, or a sub-table.
/// </remarks>
public sealed unsafe class TableSnapshot : IDisposable
{
    /// <summary>Steps leave so much of the arena to pre-images.</summary>
    private const double ArenaForSteps = 0.25;

    /// <summary>Room for a whole sub-table, and for the bucket that a read makes sure of.</summary>
    private const int EntryRoom = CuckooIndex.MaxEntries + CuckooIndex.EntriesPerRead;

    private readonly EmbeddingTable _table;
    private readonly BlockSink _sink;
    private readonly SnapshotWriter _writer;
    private readonly IndexEntry* _entries;
    private readonly bool _background;
    private SweepCursor _cursor = new() { Generation = -1 };
    private bool _swept;
    private bool _ended;
    private bool _disposed;

    internal TableSnapshot(EmbeddingTable table, SnapshotKind kind, Stream stream, SnapshotOptions? options, int rowBytes)
    {
        _table = table;
        Kind = kind;
        _background = options is not null;
        _sink = new BlockSink(stream, options);
        _writer = new SnapshotWriter(_sink, rowBytes);
        _entries = (IndexEntry*)NativeMemory.Alloc(EntryRoom, (nuint)sizeof(IndexEntry));
    }

    /// <summary>What it holds: an incremental one becomes full when the table does not know all changes since the last.</summary>
    public SnapshotKind Kind { get; }

    /// <summary>Rows written so far.</summary>
    public long Rows => _writer.Rows;

    /// <summary>Times an update had to wait because the stream was slow and the arena used up.</summary>
    public int Waits => _sink.Waits;

    internal SnapshotWriter Writer => _writer;

    /// <summary>
    /// Goes on by one sub-table, about ten thousand rows, or by nothing while the stream is behind.
    /// </summary>
    /// <returns>True when all rows are on their way to the stream.</returns>
    /// <exception cref="IOException">As of <see cref="Complete"/>.</exception>
    public bool Step()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ObjectDisposedException.ThrowIf(_table.IsDisposed, _table);
        _sink.ThrowIfFailed();
        if (!_swept && !(_background && _sink.Used > ArenaForSteps))
        {
            var read = _table.Index.Read(ref _cursor, new Span<IndexEntry>(_entries, EntryRoom), out _swept);
            _table.WriteRows(this, _entries, read);
        }

        return _swept;
    }

    /// <summary>Takes all steps left, waits for the stream, and makes this snapshot the one that the next builds on.</summary>
    /// <exception cref="IOException">
    /// The stream failed, or an update waited for it too long. The snapshot is void and the next one will be full; the table is
    /// unharmed.
    /// </exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (!Step())
        {
            if (_background && _sink.Used > ArenaForSteps)
            {
                _sink.WaitBelow(ArenaForSteps);
            }
        }

        if (!_ended)
        {
            _writer.End();
            _sink.Finish();
            _ended = true;
            _table.EndSnapshot(completed: true);
        }
    }

    /// <summary>Ends the snapshot. One that is not complete is void: what waits for the stream is dropped.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            if (!_ended)
            {
                _table.EndSnapshot(completed: false);
            }

            _sink.Dispose();
            NativeMemory.Free(_entries);
        }
    }

    /// <summary>Whether the snapshot has still to come to an id of this hash.</summary>
    internal bool IsAhead(ulong hash) => !_swept && !CuckooIndex.Passed(_cursor, hash);
}
