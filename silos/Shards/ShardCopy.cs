using System.Buffers;
using Microsoft.IO;
using Monolith.Embeddings;
using Monolith.Embeddings.Snapshots;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Shards;

/// <summary>
/// A copy of a shard. Of a large one all tables begin at the same moment and are then copied a sub-table a step, while rows
/// that change before their turn leave their pre-image (docs/snapshot-format.md). What is copied is the shard at one version.
/// </summary>
internal sealed class ShardCopy : IStateCopy
{
    // Rows on their way from a table to memory; a quarter of it may wait when a copy ends, which takes a millisecond.
    private static readonly SnapshotOptions Bounds = new() { ArenaBytes = 16 << 20 };

    private readonly RecyclableMemoryStream[] _streams;
    private readonly List<TableSnapshot> _snapshots = [];
    private readonly byte[] _rest;
    private int _next;

    /// <summary>Begins.</summary>
    /// <param name="tables">The shard's tables, in their order.</param>
    /// <param name="kind">What is copied of all of them.</param>
    /// <param name="inSteps">Whether it takes steps; otherwise it is complete at once.</param>
    /// <param name="rest">What follows the tables.</param>
    public ShardCopy(EmbeddingTable[] tables, SnapshotKind kind, bool inSteps, byte[] rest)
    {
        IsIncrement = kind == SnapshotKind.Incremental;
        _rest = rest;
        _streams = [.. tables.Select(_ => CopyMemory.Stream())];
        try
        {
            foreach (var (table, stream) in tables.Zip(_streams))
            {
                if (inSteps)
                {
                    _snapshots.Add(table.BeginSnapshot(kind, stream, Bounds));
                }
                else
                {
                    table.Save(stream, kind);
                }
            }
        }
        catch
        {
            Dispose(); // a table has one snapshot at a time: one left behind would be its last
            throw;
        }
    }

    /// <inheritdoc/>
    public bool IsIncrement { get; }

    /// <inheritdoc/>
    public bool Step()
    {
        if (_next < _snapshots.Count && _snapshots[_next].Step())
        {
            _snapshots[_next++].Complete();
        }

        return _next == _snapshots.Count;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ReadOnlySequence<byte>> Finish() =>
        [.. _streams.Select(s => s.GetReadOnlySequence()), new ReadOnlySequence<byte>(_rest)];

    /// <inheritdoc/>
    public void Dispose()
    {
        _snapshots.ForEach(s => s.Dispose());
        Array.ForEach(_streams, s => s.Dispose());
    }
}
