namespace Monolith.Embeddings.Optimizers;

/// <summary>Applies gradients to one segment of many rows; the state lies in the row.</summary>
internal abstract unsafe class SegmentUpdater(int dimension)
{
    /// <summary>Values a row has in this segment.</summary>
    public int Dimension { get; } = dimension;

    /// <summary>Floats of optimizer state a row has in this segment.</summary>
    public abstract int StateFloats { get; }

    /// <summary>Writes the state a new row starts from.</summary>
    public abstract void InitializeState(float* state);

    /// <summary>Applies one gradient a row.</summary>
    /// <param name="values">Address of each row's values; null where there is nothing to do.</param>
    /// <param name="states">Address of each row's state.</param>
    /// <param name="gradients">Address of each row's gradient (the whole row's).</param>
    /// <param name="count">Rows.</param>
    /// <param name="place">Where the segment lies in a row and in a gradient.</param>
    /// <param name="context">What the batch shares.</param>
    public abstract void Apply(float** values, float** states, float** gradients, int count, SegmentPlace place, in StepContext context);
}

/// <summary>Where a segment lies, in floats: its values among a row's (and a gradient's), its state among a row's.</summary>
internal readonly record struct SegmentPlace(int Values, int State);
