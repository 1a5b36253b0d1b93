using System.Runtime.CompilerServices;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>Which ids changed, and which expired.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Changed ids are listed up to one in so many rows; beyond that a drain looks at all rows.</summary>
    private const int ListedShare = 16;

    private const int ListedLeast = 1 << 16;
    private readonly IdLog _updatedIds = new();
    private readonly IdLog _deletedIds = new();
    private readonly uint _expirySeconds;
    private bool _listIsShort;
    private SweepCursor _expiryCursor = new() { Generation = -1 };

    /// <summary>
    /// Hands over which ids changed since the last drain, each once. Only a training table keeps track; a replica's drains
    /// are empty. A training table notes 8 bytes a deletion until it is drained.
    /// </summary>
    public void DrainChanges(ChangeSet into)
    {
        ArgumentNullException.ThrowIfNull(into);
        ThrowIfDisposed();
        DrainDeleted(into);
        if (_listIsShort)
        {
            DrainAll(into);
        }
        else
        {
            DrainListed(into);
        }

        _updatedIds.Clear();
        _listIsShort = false;
    }

    /// <summary>
    /// Goes on sweeping for rows whose last update lies the table's expiry or more behind the newest event time seen.
    /// </summary>
    /// <param name="maxRows">
    /// Rows to look at, to the end of the bucket of five that reaches it: the bound of this call's work. A sweep over all rows
    /// takes several calls.
    /// </param>
    /// <returns>Rows freed.</returns>
    [SkipLocalsInit]
    public int Expire(int maxRows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxRows);
        ThrowIfDisposed();
        if (_expirySeconds == 0 || _newestEventSeconds < _expirySeconds || !_layout.Trains)
        {
            return 0;
        }

        var freed = 0;
        var oldest = _newestEventSeconds - _expirySeconds;
        Span<IndexEntry> entries = stackalloc IndexEntry[256];
        for (var looked = 0; looked < maxRows;)
        {
            var room = Math.Min(entries.Length, Math.Max(CuckooIndex.EntriesPerRead, maxRows - looked));
            var read = _index.Read(ref _expiryCursor, entries[..room], out var wrapped);
            for (var i = 0; i < read; i++)
            {
                CuckooIndex.Prefetch(_rows.Side(entries[i].Row));
            }

            for (var i = 0; i < read; i++)
            {
                if (RowMarks.Seconds(_rows.Side(entries[i].Row)) <= oldest && Remove(entries[i].Id, Leaving.Expired))
                {
                    freed++;
                }
            }

            looked += read;
            if (wrapped)
            {
                break;
            }
        }

        _index.EndBatch();
        return freed;
    }

    private void NoteUpdated(ulong id)
    {
        if (_updatedIds.Count < ListedLeast || _updatedIds.Count < Count / ListedShare)
        {
            _updatedIds.Add(id);
        }
        else
        {
            _listIsShort = true;
        }
    }

    private void NoteDeleted(ulong id)
    {
        if (_layout.Trains)
        {
            _deletedIds.Add(id);
            NoteDeletedForSnapshot(id);
        }
    }

    private void DrainDeleted(ChangeSet into)
    {
        // An id may have been deleted, inserted and deleted again; one that is back counts as updated.
        var seen = _deletedIds.Count > 0 ? new HashSet<ulong>(_deletedIds.Count) : null;
        for (var i = 0; i < _deletedIds.Count; i++)
        {
            var id = _deletedIds[i];
            if (seen!.Add(id) && !_index.TryFind(id, out _))
            {
                into.AddDeleted(id);
            }
        }

        _deletedIds.Clear();
    }

    [SkipLocalsInit]
    private void DrainListed(ChangeSet into)
    {
        const int Batch = 512;
        var ids = stackalloc ulong[Batch];
        for (var from = 0; from < _updatedIds.Count; from += Batch)
        {
            var count = Math.Min(Batch, _updatedIds.Count - from);
            for (var i = 0; i < count; i++)
            {
                ids[i] = _updatedIds[from + i];
            }

            RunBlocks(ids, count, 1, new Draining(this, ids, into));
        }
    }

    private void DrainAll(ChangeSet into)
    {
        Span<IndexEntry> entries = stackalloc IndexEntry[256];
        var cursor = new SweepCursor { Generation = -1 };
        bool wrapped;
        do
        {
            var read = _index.Read(ref cursor, entries, out wrapped);
            for (var i = 0; i < read; i++)
            {
                CuckooIndex.Prefetch(_rows.Side(entries[i].Row));
            }

            for (var i = 0; i < read; i++)
            {
                DrainRow(entries[i].Id, entries[i].Row, into);
            }
        }
        while (!wrapped);
    }

    private void DrainRow(ulong id, uint row, ChangeSet into)
    {
        ref var flags = ref RowMarks.Flags(_rows.Side(row));
        if ((flags & RowMarks.Drain) != 0)
        {
            flags = (ushort)(flags & ~RowMarks.Drain);
            into.AddUpdated(id);
        }
    }

    private readonly struct Draining(EmbeddingTable table, ulong* ids, ChangeSet into) : IBlockWork
    {
        public static bool Changes => true;

        public void Do(int from, int count, Probe* probes)
        {
            for (var i = 0; i < count; i++)
            {
                if (probes[i].Found)
                {
                    table.DrainRow(ids[from + i], probes[i].Row, into);
                }
            }
        }
    }
}
