using System.Runtime.CompilerServices;

namespace Monolith.Embeddings.Optimizers;

/// <summary>An optimizer that looks at a row's segment as a whole.</summary>
internal unsafe interface IRowRule
{
    /// <summary>State floats of a segment.</summary>
    static abstract int StateFloats(int dimension);

    /// <summary>Writes the state a new row starts from.</summary>
    void Initialize(float* state, int dimension);

    /// <summary>Takes a step.</summary>
    /// <param name="values">The segment's values.</param>
    /// <param name="state">Its state.</param>
    /// <param name="gradient">Its gradient with decay; may be written to.</param>
    /// <param name="dimension">Values.</param>
    /// <param name="context">What the batch shares.</param>
    void Apply<T>(float* values, float* state, float* gradient, int dimension, in StepContext context)
        where T : struct, ILane<T>;
}

/// <summary>Runs an <see cref="IRowRule"/> over rows in lanes of <typeparamref name="TLane"/>.</summary>
internal sealed unsafe class RowUpdater<TRule, TLane>(TRule rule, int dimension, float weightDecay) : SegmentUpdater(dimension)
    where TRule : struct, IRowRule
    where TLane : struct, ILane<TLane>
{
    public override int StateFloats => TRule.StateFloats(Dimension);

    public override void InitializeState(float* state) => rule.Initialize(state, Dimension);

    [SkipLocalsInit]
    public override void Apply(float** values, float** states, float** gradients, int count, SegmentPlace place, in StepContext context)
    {
        var decayed = stackalloc float[Dimension];
        for (var i = 0; i < count; i++)
        {
            if (values[i] != null)
            {
                var segment = values[i] + place.Values;
                Lanes.Combine<TLane>(1, gradients[i] + place.Values, weightDecay, segment, decayed, Dimension);
                rule.Apply<TLane>(segment, states[i] + place.State, decayed, Dimension, context);
            }
        }
    }
}
