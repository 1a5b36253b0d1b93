using System.Runtime.CompilerServices;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Initialization;
using Monolith.Embeddings.Optimizers;
using Monolith.Embeddings.Rows;

namespace Monolith.Embeddings;

/// <content>Learning.</content>
public sealed unsafe partial class EmbeddingTable
{
    private uint _newestEventSeconds;
    private readonly StepContext[] _contexts;
    private long _step;
    private readonly float* _scaled;
    private readonly float* _wide;
    private readonly float* _initial;
    private ulong _rounding;

    /// <summary>Applies gradients; ids are distinct. Ids without a row get one, once they are admitted.</summary>
    /// <param name="ids">Distinct ids.</param>
    /// <param name="gradients">ids × Dimension: summed over the id's occurrences.</param>
    /// <param name="occurrences">Occurrences an id's gradient sums, at least 1.</param>
    /// <param name="eventTimesSeconds">Newest event time of an id's occurrences, Unix seconds.</param>
    public void Update(
        ReadOnlySpan<ulong> ids, ReadOnlySpan<float> gradients, ReadOnlySpan<int> occurrences, ReadOnlySpan<uint> eventTimesSeconds)
    {
        Shapes.Check(gradients.Length, ids.Length, Dimension, nameof(gradients));
        Shapes.Check(occurrences.Length, ids.Length, 1, nameof(occurrences));
        Shapes.Check(eventTimesSeconds.Length, ids.Length, 1, nameof(eventTimesSeconds));
        Shapes.CheckTrains(_content);
        ThrowIfDisposed();
        BeginStep();
        fixed (ulong* allIds = ids)
        fixed (float* allGradients = gradients)
        fixed (int* allOccurrences = occurrences)
        fixed (uint* allTimes = eventTimesSeconds)
        {
            var batch = new Batch(this, allIds, allGradients, allOccurrences, allTimes);
            RunBlocks(allIds, ids.Length, _layout.RowBytes, batch);
        }

        EndUpdate(ids.Length);
    }

    private void BeginStep()
    {
        _step++;
        // The same after a restore and in any number of shards: rounding and admission by chance depend on seed, step and id alone.
        _rounding = Mixer.Mix(_initializer.Seed ^ Mixer.Mix((ulong)_step));
        for (var s = 0; s < _contexts.Length; s++)
        {
            _contexts[s] = new StepContext(LearningRates.At(Spec.Segments[s].Optimizer, _step), _step);
        }
    }

    private void EndUpdate(int ids)
    {
        KeepWithinBudget();
        _index.GrowSome(1 + (ids / 512));
        _index.EndBatch();
    }

    /// <summary>Last stage: the rows are here, or the ids have none.</summary>
    [SkipLocalsInit]
    private void Learn(in Batch batch, int from, int count, Probe* probes)
    {
        var values = stackalloc float*[Block];
        var states = stackalloc float*[Block];
        var gradients = stackalloc float*[Block];
        for (var i = 0; i < count; i++)
        {
            var at = from + i;
            var occurrences = batch.Occurrences[at];
            var seconds = batch.Times[at];
            gradients[i] = batch.Gradients + ((long)at * Dimension);
            _newestEventSeconds = Math.Max(_newestEventSeconds, seconds);
            if (!probes[i].Found && !TryAdmit(batch.Ids[at], ref occurrences, i, ref gradients[i], out probes[i].Row))
            {
                values[i] = null;
                continue;
            }

            var row = probes[i].Row;
            if (_snapshot is not null)
            {
                Capture(batch.Ids[at], row);
            }

            var old = RowMarks.Touch(_rows.Side(row), seconds, occurrences);
            if ((old & RowMarks.Drain) == 0)
            {
                NoteUpdated(batch.Ids[at]);
            }

            var address = _rows.Address(row);
            states[i] = (float*)(address + _layout.ValueBytes);
            if (_layout.Precision == RowPrecision.Float32)
            {
                values[i] = (float*)address;
            }
            else
            {
                values[i] = _wide + (i * Dimension);
                ValueCodec.Read(_layout.Precision, address, values[i], Dimension);
            }
        }

        for (var s = 0; s < _layout.Updaters.Length; s++)
        {
            _layout.Updaters[s].Apply(values, states, gradients, count, _layout.Places[s], _contexts[s]);
        }

        if (_layout.Precision != RowPrecision.Float32)
        {
            for (var i = 0; i < count; i++)
            {
                if (values[i] != null)
                {
                    var address = (byte*)states[i] - _layout.ValueBytes;
                    var random = (uint)(Mixer.Mix(_rounding ^ batch.Ids[from + i]) >> 32);
                    ValueCodec.WriteAtRandom(_layout.Precision, values[i], address, Dimension, random);
                }
            }
        }
    }

    /// <summary>A row for an id that the pipeline did not find, if the id is admitted.</summary>
    private bool TryAdmit(ulong id, ref int occurrences, int place, ref float* gradient, out uint row)
    {
        // It may have come since the pipeline looked: an entry that moved, or an id that is there twice after all.
        if (_index.TryFind(id, out row))
        {
            return true;
        }

        if (_admission is not null)
        {
            var admitted = _admission.Admit(id, occurrences, Mixer.Mix(Mixer.Mix(id ^ _initializer.Seed) + (ulong)_step));
            if (admitted == 0)
            {
                return false;
            }

            if (admitted < occurrences)
            {
                // Some occurrences of this gradient still counted as refused: the rest take their share.
                gradient = Scaled(gradient, place, (float)admitted / occurrences);
                occurrences = admitted;
            }
        }

        row = Insert(id);
        return true;
    }

    private float* Scaled(float* gradient, int place, float share)
    {
        var scaled = _scaled + (place * Dimension);
        for (var d = 0; d < Dimension; d++)
        {
            scaled[d] = gradient[d] * share;
        }

        return scaled;
    }

    private readonly struct Batch(EmbeddingTable table, ulong* ids, float* gradients, int* occurrences, uint* times) : IBlockWork
    {
        public static bool Changes => true;

        public readonly ulong* Ids = ids;
        public readonly float* Gradients = gradients;
        public readonly int* Occurrences = occurrences;
        public readonly uint* Times = times;

        public void Do(int from, int count, Probe* probes) => table.Learn(this, from, count, probes);
    }
}
