using System.Runtime.CompilerServices;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings;

/// <content>Loading.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Reads what <see cref="Save"/> or a full snapshot wrote, into an empty table of the same layout.</summary>
    /// <exception cref="InvalidDataException">
    /// The snapshot is of another table, and nothing was touched; or it is damaged, and the table is empty. The message says how.
    /// </exception>
    public void Load(Stream stream)
    {
        ThrowIfDisposed();
        if (Count > 0)
        {
            throw new InvalidOperationException($"table '{Spec.Name}' holds {Count} rows; a snapshot is loaded into an empty one");
        }

        Read([stream], new Loader(this, LoadKind.Full, 0, 1));
    }

    /// <summary>Reads an incremental snapshot into the table that holds the one before it.</summary>
    /// <exception cref="InvalidDataException">As of <see cref="Load"/>; or it builds on another snapshot.</exception>
    public void LoadIncrement(Stream stream) => Read([stream], new Loader(this, LoadKind.Increment, 0, 1));

    /// <summary>
    /// Reads, of the snapshots of one shard among any number, the rows that belong to this shard; what other shards' snapshots
    /// brought stays. So a table comes to another number of shards by reading the snapshots of all the old ones.
    /// </summary>
    /// <param name="chain">A full snapshot, and the increments that build on it in their order.</param>
    /// <param name="shard">This table's shard.</param>
    /// <param name="shards">The new number of shards, a power of two.</param>
    /// <exception cref="InvalidDataException">As of <see cref="LoadIncrement"/>; what other shards brought is gone then, too.</exception>
    public void LoadShare(IReadOnlyList<Stream> chain, int shard, int shards)
    {
        if (!int.IsPow2(shards) || shard < 0 || shard >= shards)
        {
            throw new ArgumentException($"there is no shard {shard} of {shards}; shards are a power of two, counted from 0");
        }

        Read(chain, new Loader(this, LoadKind.Share, shard, shards));
    }

    private void Read(IReadOnlyList<Stream> chain, Loader loader)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentOutOfRangeException.ThrowIfZero(chain.Count);
        ThrowIfDisposed();
        if (_snapshot is not null)
        {
            throw new InvalidOperationException($"a snapshot of table '{Spec.Name}' is under way");
        }

        try
        {
            for (var i = 0; i < chain.Count; i++)
            {
                ArgumentNullException.ThrowIfNull(chain[i]);
                loader.IsLast = i == chain.Count - 1;
                new SnapshotReader(chain[i]).Read(loader);
            }

            // Before the budget is kept: what it evicts is gone since that snapshot.
            _lastSnapshot = loader.Id;
            EndUpdate(0);
        }
        catch when (loader.Began)
        {
            // Nothing of a damaged snapshot stays; one that was refused by its header touched nothing.
            Clear();
            throw;
        }
    }

    /// <summary>Empties the table.</summary>
    private void Clear()
    {
        _index.Dispose();
        _rows.Dispose();
        (_index, _rows) = Empty();
        _updatedIds.Clear();
        _deletedIds.Clear();
        _deletedSinceSnapshot.Clear();
        _lastSnapshot = 0;
        (_newestEventSeconds, _step) = (0, 0);
        _admission?.Filter?.Clear();
        _listIsShort = false;
    }

    private enum LoadKind
    {
        Full,
        Increment,
        Share,
    }

    private sealed class Loader(EmbeddingTable table, LoadKind kind, int shard, int shards) : ISnapshotTarget
    {
        private StoredRow _stored;
        private bool _mergesFilter;
        private ulong _base;
        private ulong _previous;

        /// <summary>Whether no more snapshots follow; the filter is that of the last.</summary>
        public bool IsLast { get; set; }

        /// <summary>Whether the header was right, so that the table may have been touched.</summary>
        public bool Began { get; private set; }

        /// <summary>The snapshot that the table holds afterwards; 0: a part of one.</summary>
        public ulong Id { get; private set; }

        public void Header(in SnapshotHeader header, string name)
        {
            _stored = StoredRow.Of(header);
            if (name != table.Spec.Name)
            {
                throw new InvalidDataException($"the snapshot is of table '{name}', not of '{table.Spec.Name}'");
            }

            var needed = table._layout.StateBytes / sizeof(float);
            if (header.Dimension != table.Dimension || (needed > 0 && header.StateFloats != needed))
            {
                throw new InvalidDataException(
                    $"the snapshot's rows have {header.Dimension} values and {header.StateFloats} floats of state; " +
                    $"table '{name}' has {table.Dimension} and {needed}");
            }

            if (header.Seed != table._initializer.Seed)
            {
                throw new InvalidDataException($"the snapshot of table '{name}' was written with another seed");
            }

            var wanted = kind == LoadKind.Increment ? table._lastSnapshot : _previous;
            if (header.Base != wanted || (kind == LoadKind.Increment && wanted == 0))
            {
                throw new InvalidDataException(
                    $"the snapshot of table '{name}' " + (header.Base == 0 ? "is a full one" : $"builds on snapshot {header.Base:x16}") +
                    (kind == LoadKind.Increment || wanted != 0 ? $"; the table holds snapshot {wanted:x16}" : "; a full one is needed here"));
            }

            Began = true;
            (_base, _previous) = (header.Base, header.Id);
            Id = kind == LoadKind.Share ? 0 : header.Id;
            _mergesFilter = kind == LoadKind.Share && table._admission?.Filter is { IsEmpty: false };
            table._newestEventSeconds = Math.Max(table._newestEventSeconds, header.NewestEventSeconds);
            table._step = Math.Max(table._step, header.Step);
        }

        public void Rows(ReadOnlySpan<byte> rows, int count)
        {
            var ids = stackalloc ulong[Block];
            var probes = stackalloc Probe[Block];
            var width = SnapshotFormat.RowHeadBytes + _stored.Bytes;
            fixed (byte* all = rows)
            {
                for (var from = 0; from < count; from += Block)
                {
                    var length = Math.Min(Block, count - from);
                    for (var i = 0; i < length; i++)
                    {
                        ids[i] = Unsafe.ReadUnaligned<ulong>(all + ((from + i) * width));
                    }

                    // Brings the buckets into the cache; the insertions below look again.
                    table._index.Hash(ids, length, probes);
                    table._index.Start(length, probes);
                    for (var i = 0; i < length; i++)
                    {
                        if (kind != LoadKind.Share || ShardMap.Of(ids[i], shards) == shard)
                        {
                            Row(ids[i], all + ((from + i) * width));
                        }
                    }

                    table._index.GrowSome(1);
                    table._index.EndBatch();
                }
            }
        }

        public void Filter(int newest, int used, int length, int from, ReadOnlySpan<ushort> cells)
        {
            if (!IsLast || table._admission?.Filter is not { } filter)
            {
                return;
            }

            if (length != filter.State.Cells.Length || from < 0 || from > length - cells.Length || newest is < 0 or >= Admission.CountingFilter.Windows)
            {
                throw new InvalidDataException(
                    $"the snapshot's admission filter has {length} cells, that of table '{table.Spec.Name}' {filter.State.Cells.Length}");
            }

            if (_mergesFilter)
            {
                // Another shard's counts are here already.
                filter.MergePiece(newest, from, cells);
            }
            else
            {
                filter.RestorePiece(newest, used, from, cells);
            }
        }

        public void Deleted(ReadOnlySpan<ulong> ids)
        {
            foreach (var id in ids)
            {
                if (table._index.Remove(id, out var row))
                {
                    table._rows.Give(row);
                }
            }

            table._index.EndBatch();
        }

        private void Row(ulong id, byte* stored)
        {
            if (!table._index.TryFind(id, out var row))
            {
                row = table.Insert(id);
            }
            else if (_base == 0)
            {
                throw new InvalidDataException($"the snapshot holds id {id} twice");
            }

            var layout = table._layout;
            var address = table._rows.Address(row);
            var body = stored + SnapshotFormat.RowHeadBytes;
            layout.Values.CopyFrom(_stored.Values, body, address, table._initial);
            if (layout.Trains)
            {
                Unsafe.CopyBlockUnaligned(address + layout.ValueBytes, body + _stored.ValueBytes, (uint)layout.StateBytes);
                var seconds = Unsafe.ReadUnaligned<uint>(stored + 8);
                table._newestEventSeconds = Math.Max(table._newestEventSeconds, seconds);
                RowMarks.Set(table._rows.Side(row), seconds, Unsafe.ReadUnaligned<ushort>(stored + 12), 0);
            }
        }
    }
}
