using System.Security.Cryptography;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings;

/// <content>Saving.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Deletions remembered for the next incremental snapshot, at most, beside a quarter of the rows.</summary>
    private const int DeletionsKept = 1 << 20;

    private readonly IdLog _deletedSinceSnapshot = new();
    private bool _deletionsLost;
    private TableSnapshot? _snapshot;
    private ulong _lastSnapshot;
    private ulong _nextSnapshot;

    /// <summary>Names the snapshot that the next incremental one builds on; 0: none.</summary>
    public ulong LastSnapshot => _lastSnapshot;

    /// <summary>Writes a snapshot in one go; several tables may follow each other in one stream.</summary>
    /// <param name="stream">Written to by this thread.</param>
    /// <param name="kind">As of <see cref="BeginSnapshot"/>.</param>
    public void Save(Stream stream, SnapshotKind kind = SnapshotKind.Full)
    {
        using var snapshot = Begin(kind, stream, null);
        snapshot.Complete();
    }

    /// <summary>
    /// Begins a snapshot of the table as it is now. Updates may go on; between them the owner calls
    /// <see cref="TableSnapshot.Step"/>, and at the end <see cref="TableSnapshot.Complete"/>. One at a time.
    /// </summary>
    /// <param name="kind">All rows, or what changed since the last completed snapshot (full, if there was none).</param>
    /// <param name="stream">Written to by another thread until the snapshot is complete or disposed.</param>
    /// <param name="options">Bounds.</param>
    public TableSnapshot BeginSnapshot(SnapshotKind kind, Stream stream, SnapshotOptions? options = null) =>
        Begin(kind, stream, options ?? new SnapshotOptions());

    private TableSnapshot Begin(SnapshotKind kind, Stream stream, SnapshotOptions? options)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        Shapes.CheckTrains(_content);
        if (_snapshot is not null)
        {
            throw new InvalidOperationException($"a snapshot of table '{Spec.Name}' is under way");
        }

        kind = _lastSnapshot == 0 ? SnapshotKind.Full : kind;
        _nextSnapshot = Math.Max(1, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));
        var snapshot = new TableSnapshot(this, kind, stream, options, _layout.RowBytes);
        try
        {
            WriteHead(snapshot);
        }
        catch
        {
            snapshot.Dispose();
            throw;
        }

        _deletedSinceSnapshot.Clear();
        _deletionsLost = false;
        _snapshot = snapshot;
        return snapshot;
    }

    private void WriteHead(TableSnapshot snapshot)
    {
        var header = new SnapshotHeader
        {
            Id = _nextSnapshot,
            Base = snapshot.Kind == SnapshotKind.Full ? 0 : _lastSnapshot,
            Seed = _initializer.Seed,
            Step = _step,
            NewestEventSeconds = _newestEventSeconds,
            Dimension = Dimension,
            StateFloats = _layout.StateBytes / sizeof(float),
            Precision = (int)_layout.Precision,
        };
        snapshot.Writer.Header(header, Spec.Name);
        if (_admission?.Filter is { } filter)
        {
            snapshot.Writer.Filter(filter);
        }

        if (snapshot.Kind == SnapshotKind.Incremental)
        {
            snapshot.Writer.Deletions(_deletedSinceSnapshot.ToArray());
        }
    }

    /// <summary>Writes the rows of a sub-table that have not gone into the snapshot already.</summary>
    internal void WriteRows(TableSnapshot snapshot, IndexEntry* entries, int count)
    {
        const int Ahead = 12;
        for (var i = 0; i < count + Ahead; i++)
        {
            if (i < count)
            {
                PrefetchForSnapshot(entries[i].Row);
            }

            if (i >= Ahead)
            {
                WriteRow(snapshot, entries[i - Ahead]);
            }
        }
    }

    /// <summary>Ends a snapshot; a void one leaves no base for the next.</summary>
    internal void EndSnapshot(bool completed)
    {
        _snapshot = null;
        _lastSnapshot = completed && !_deletionsLost ? _nextSnapshot : 0;
        if (!completed)
        {
            ClearCaptured();
        }
    }

    /// <summary>A row is about to change or go: its pre-image goes into the snapshot, if that has not come to it yet.</summary>
    private void Capture(ulong id, uint row)
    {
        ref var flags = ref RowMarks.Flags(_rows.Side(row));
        if ((flags & RowMarks.Captured) == 0 && _snapshot!.IsAhead(_index.Hash(id)))
        {
            WritePreImage(_snapshot, id, row, ref flags);
            flags |= RowMarks.Captured;
        }
    }

    /// <summary>A row that is new is not part of the snapshot under way.</summary>
    private void PassOver(ulong id, uint row)
    {
        if (_snapshot!.IsAhead(_index.Hash(id)))
        {
            RowMarks.Flags(_rows.Side(row)) |= RowMarks.Captured;
        }
    }

    private void NoteDeletedForSnapshot(ulong id)
    {
        if ((_lastSnapshot == 0 && _snapshot is null) || _deletionsLost)
        {
            return;
        }

        if (_deletedSinceSnapshot.Count > DeletionsKept && _deletedSinceSnapshot.Count > Count / 4)
        {
            // Too many to remember: the next snapshot is a full one.
            _lastSnapshot = 0;
            _deletionsLost = true;
            _deletedSinceSnapshot.Clear();
            return;
        }

        _deletedSinceSnapshot.Add(id);
    }

    private void WriteRow(TableSnapshot snapshot, in IndexEntry entry)
    {
        ref var flags = ref RowMarks.Flags(_rows.Side(entry.Row));
        if ((flags & RowMarks.Captured) != 0)
        {
            flags &= unchecked((ushort)~RowMarks.Captured);
        }
        else
        {
            WritePreImage(snapshot, entry.Id, entry.Row, ref flags);
        }
    }

    private void WritePreImage(TableSnapshot snapshot, ulong id, uint row, ref ushort flags)
    {
        if (snapshot.Kind == SnapshotKind.Full || (flags & RowMarks.Snapshot) != 0)
        {
            var marks = _rows.Side(row);
            snapshot.Writer.Row(id, RowMarks.Seconds(marks), RowMarks.Occurrences(marks), _rows.Address(row));
            flags &= unchecked((ushort)~RowMarks.Snapshot);
        }
    }

    private void PrefetchForSnapshot(uint row)
    {
        var address = _rows.Address(row);
        for (var at = 0; at < _layout.RowBytes; at += 64)
        {
            CuckooIndex.Prefetch(address + at);
        }

        CuckooIndex.Prefetch(_rows.Side(row));
    }

    private void ClearCaptured()
    {
        if (_disposed)
        {
            return;
        }

        _index.ForEach((_, row) => RowMarks.Flags(_rows.Side(row)) &= unchecked((ushort)~RowMarks.Captured));
    }
}
