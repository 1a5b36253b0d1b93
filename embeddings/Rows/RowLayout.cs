using Monolith.Contracts.Specification;
using Monolith.Embeddings.Optimizers;

namespace Monolith.Embeddings.Rows;

/// <summary>
/// A row in memory, in floats: the values of all segments, then the optimizer state of all segments. A lookup reads one
/// run of memory.
/// </summary>
internal sealed class RowLayout
{
    public RowLayout(TableSpec spec, TableContent content)
    {
        Updaters = new SegmentUpdater[spec.Segments.Length];
        Places = new SegmentPlace[spec.Segments.Length];
        Dimension = spec.Dimension;
        var values = 0;
        var state = Dimension;
        for (var i = 0; i < Updaters.Length; i++)
        {
            Updaters[i] = SegmentUpdaters.Create(spec.Segments[i]);
            Places[i] = new SegmentPlace(values, state);
            values += Updaters[i].Dimension;
            state += Updaters[i].StateFloats;
        }

        StateFloats = state - Dimension;
        Floats = content == TableContent.Training ? state : Dimension;
    }

    /// <summary>Values a row.</summary>
    public int Dimension { get; }

    /// <summary>Floats of optimizer state of a training row.</summary>
    public int StateFloats { get; }

    /// <summary>Floats a row has here.</summary>
    public int Floats { get; }

    /// <summary>What updates each segment.</summary>
    public SegmentUpdater[] Updaters { get; }

    /// <summary>Where each segment lies.</summary>
    public SegmentPlace[] Places { get; }

    /// <summary>Writes the optimizer state a new row starts from.</summary>
    public unsafe void InitializeState(float* row)
    {
        for (var i = 0; i < Updaters.Length; i++)
        {
            Updaters[i].InitializeState(row + Places[i].State);
        }
    }
}
