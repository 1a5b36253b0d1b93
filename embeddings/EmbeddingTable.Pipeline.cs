using System.Runtime.CompilerServices;
using Monolith.Embeddings.Index;

namespace Monolith.Embeddings;

/// <content>How a batch goes through.</content>
public sealed unsafe partial class EmbeddingTable
{
    /// <summary>Ids a block of the pipeline.</summary>
    private const int Block = 16;

    /// <summary>Blocks under way.</summary>
    private const int Stages = 5;

    /// <summary>What is done with the rows of a block once they are here.</summary>
    private interface IBlockWork : IRowUse
    {
        /// <summary>Works on a block.</summary>
        /// <param name="from">The first of its ids in the batch.</param>
        /// <param name="count">Ids, at most <see cref="Block"/>.</param>
        /// <param name="probes">Where their rows are.</param>
        void Do(int from, int count, Probe* probes);
    }

    /// <summary>
    /// Takes a batch through in blocks, each one stage behind the one before: while the index lines of a block come from memory,
    /// so do second index lines and rows of the two before it, and the rows of a fourth are worked on.
    /// </summary>
    /// <param name="ids">The batch.</param>
    /// <param name="length">Ids of it.</param>
    /// <param name="rowBytes">Bytes of a row that the work needs, from its start on.</param>
    /// <param name="work">May insert rows, but remove none.</param>
    [SkipLocalsInit]
    private void RunBlocks<TWork>(ulong* ids, int length, int rowBytes, TWork work)
        where TWork : struct, IBlockWork
    {
        ThrowIfDisposed();
        var probes = stackalloc Probe[Stages * Block];
        var onward = stackalloc byte[Stages * Block];
        var going = stackalloc int[Stages];
        var blocks = (length + Block - 1) / Block;
        for (var step = 0; step < blocks + Stages - 1; step++)
        {
            if (step < blocks)
            {
                var (from, slot) = (step * Block, step % Stages);
                _index.Hash(ids + from, Math.Min(Block, length - from), probes + (slot * Block));
            }

            if (step >= 1 && step - 1 < blocks)
            {
                var (from, slot) = ((step - 1) * Block, (step - 1) % Stages);
                _index.Start(Math.Min(Block, length - from), probes + (slot * Block));
            }

            if (step >= 2 && step - 2 < blocks)
            {
                var (from, slot) = ((step - 2) * Block, (step - 2) % Stages);
                going[slot] = _index.LookFirst<TWork>(
                    ids + from, Math.Min(Block, length - from), probes + (slot * Block), _rows, rowBytes, onward + (slot * Block));
            }

            if (step >= 3 && step - 3 < blocks)
            {
                var (from, slot) = ((step - 3) * Block, (step - 3) % Stages);
                CuckooIndex.LookSecond<TWork>(ids + from, probes + (slot * Block), _rows, rowBytes, onward + (slot * Block), going[slot]);
            }

            if (step >= 4)
            {
                var (from, slot) = ((step - 4) * Block, (step - 4) % Stages);
                work.Do(from, Math.Min(Block, length - from), probes + (slot * Block));
            }
        }

        // The rows are only pointers to the collector: a table that nobody else holds must not be finalized among them.
        GC.KeepAlive(this);
    }
}
