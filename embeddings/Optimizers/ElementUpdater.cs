using System.Runtime.CompilerServices;

namespace Monolith.Embeddings.Optimizers;

/// <summary>An optimizer that treats each value by itself.</summary>
internal unsafe interface IElementRule
{
    /// <summary>State vectors as wide as the segment, 0 to 3.</summary>
    static abstract int Vectors { get; }

    /// <summary>State floats of the row as a whole; they lie behind the vectors.</summary>
    static abstract int Scalars { get; }

    /// <summary>Writes the state a new row starts from.</summary>
    void Initialize(Span<float> vectors, Span<float> scalars);

    /// <summary>Advances the row's scalars and returns the factor of this step.</summary>
    float Begin(float* scalars, in StepContext context);

    /// <summary>Takes the step for some values.</summary>
    void Step<T>(T gradient, T factor, ref T value, ref T first, ref T second, ref T third)
        where T : struct, ILane<T>;
}

/// <summary>Runs an <see cref="IElementRule"/> over rows in lanes of <typeparamref name="TLane"/>.</summary>
internal sealed unsafe class ElementUpdater<TRule, TLane>(TRule rule, int dimension, float weightDecay) : SegmentUpdater(dimension)
    where TRule : struct, IElementRule
    where TLane : struct, ILane<TLane>
{
    public override int StateFloats => (TRule.Vectors * Dimension) + TRule.Scalars;

    public override void InitializeState(float* state) => rule.Initialize(
        new Span<float>(state, TRule.Vectors * Dimension),
        new Span<float>(state + (TRule.Vectors * Dimension), TRule.Scalars));

    public override void Apply(float** values, float** states, float** gradients, int count, SegmentPlace place, in StepContext context)
    {
        var dimension = Dimension;
        for (var i = 0; i < count; i++)
        {
            if (values[i] == null)
            {
                continue;
            }

            var state = states[i] + place.State;
            var factor = rule.Begin(state + (TRule.Vectors * dimension), context);
            var done = Steps<TLane>(values[i] + place.Values, state, gradients[i] + place.Values, 0, factor);
            if (done < dimension)
            {
                Steps<ScalarLane>(values[i] + place.Values, state, gradients[i] + place.Values, done, factor);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Steps<T>(float* values, float* state, float* gradient, int from, float factor)
        where T : struct, ILane<T>
    {
        var dimension = Dimension;
        var decay = T.Of(weightDecay);
        var step = T.Of(factor);
        T first = default, second = default, third = default;
        var at = from;
        for (; at + T.Count <= dimension; at += T.Count)
        {
            var value = T.Load(values + at);
            if (TRule.Vectors > 0)
            {
                first = T.Load(state + at);
            }

            if (TRule.Vectors > 1)
            {
                second = T.Load(state + dimension + at);
            }

            if (TRule.Vectors > 2)
            {
                third = T.Load(state + (2 * dimension) + at);
            }

            rule.Step(T.Load(gradient + at) + (decay * value), step, ref value, ref first, ref second, ref third);
            T.Store(value, values + at);
            if (TRule.Vectors > 0)
            {
                T.Store(first, state + at);
            }

            if (TRule.Vectors > 1)
            {
                T.Store(second, state + dimension + at);
            }

            if (TRule.Vectors > 2)
            {
                T.Store(third, state + (2 * dimension) + at);
            }
        }

        return at;
    }
}
