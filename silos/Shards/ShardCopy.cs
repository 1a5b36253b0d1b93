using System.Buffers;
using Microsoft.IO;
using Monolith.Embeddings;
using Monolith.Embeddings.Snapshots;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Shards;

/// <summary>
/// A copy of a large shard: all tables begin at the same moment and are then copied a sub-table a step, while rows that
/// change before their turn leave their pre-image (docs/snapshot-format.md). What is copied is the shard at one version.
/// </summary>
internal sealed class ShardCopy : IStateCopy
{
    // Rows on their way from a table to memory; a quarter of it may wait when a copy ends, which takes a millisecond.
    private static readonly SnapshotOptions Bounds = new() { ArenaBytes = 16 << 20 };

    private readonly RecyclableMemoryStream[] _streams;
    private readonly TableSnapshot[] _snapshots;
    private readonly byte[] _rest;
    private int _next;

    /// <summary>Begins.</summary>
    /// <param name="tables">The shard's tables, in their order.</param>
    /// <param name="rest">What follows the tables.</param>
    public ShardCopy(EmbeddingTable[] tables, byte[] rest)
    {
        _rest = rest;
        _streams = [.. tables.Select(_ => CopyMemory.Stream())];
        _snapshots = [.. tables.Select((t, i) => t.BeginSnapshot(SnapshotKind.Full, _streams[i], Bounds))];
    }

    /// <inheritdoc/>
    public bool Step()
    {
        if (_next < _snapshots.Length && _snapshots[_next].Step())
        {
            _snapshots[_next++].Complete();
        }

        return _next == _snapshots.Length;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ReadOnlySequence<byte>> Finish() =>
        [.. _streams.Select(s => s.GetReadOnlySequence()), new ReadOnlySequence<byte>(_rest)];

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_snapshots, s => s.Dispose());
        Array.ForEach(_streams, s => s.Dispose());
    }
}
