using System.Numerics.Tensors;
using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Combiners;

/// <summary>From the rows of a multi-valued feature to one vector, and from its gradient back to the rows'.</summary>
public static class Combining
{
    /// <summary>What a row weighs: 1 in a sum, 1/n in a mean, 1/√n in between; 0 of no rows, so that nothing becomes NaN.</summary>
    /// <param name="combiner">The combiner.</param>
    /// <param name="rows">n, how many rows there are.</param>
    public static float Weight(Combiner combiner, int rows) => rows == 0 ? 0 : combiner switch
    {
        Combiner.Sum => 1,
        Combiner.Mean => 1f / rows,
        Combiner.SqrtN => 1 / MathF.Sqrt(rows),
        _ => throw new ArgumentOutOfRangeException(nameof(combiner), combiner, "sum, mean or sqrtn"),
    };

    /// <summary>Combines rows; no rows combine to zeros.</summary>
    /// <param name="combiner">The combiner.</param>
    /// <param name="rows">n × dimension.</param>
    /// <param name="into">dimension.</param>
    public static void Combine(Combiner combiner, ReadOnlySpan<float> rows, Span<float> into)
    {
        var count = Rows(rows.Length, into.Length);
        into.Clear();
        for (var row = 0; row < count; row++)
        {
            TensorPrimitives.Add(into, rows.Slice(row * into.Length, into.Length), into);
        }

        if (count > 1 && combiner != Combiner.Sum)
        {
            TensorPrimitives.Multiply(into, Weight(combiner, count), into);
        }
    }

    /// <summary>Adds, to each row's gradient, what the combined vector's says.</summary>
    /// <param name="combiner">The combiner.</param>
    /// <param name="gradient">Of the combined vector: dimension.</param>
    /// <param name="rows">n × dimension; added to.</param>
    public static void AddGradient(Combiner combiner, ReadOnlySpan<float> gradient, Span<float> rows)
    {
        var count = Rows(rows.Length, gradient.Length);
        var weight = Weight(combiner, count);
        for (var row = 0; row < count; row++)
        {
            var part = rows.Slice(row * gradient.Length, gradient.Length);
            TensorPrimitives.MultiplyAdd(gradient, weight, part, part);
        }
    }

    /// <summary>The first rows as they are, zeros where there are fewer.</summary>
    /// <param name="rows">n × dimension.</param>
    /// <param name="dimension">Values a row.</param>
    /// <param name="into">places × dimension.</param>
    public static void FirstN(ReadOnlySpan<float> rows, int dimension, Span<float> into)
    {
        Rows(rows.Length, dimension);
        Rows(into.Length, dimension);
        var copied = Math.Min(rows.Length, into.Length);
        rows[..copied].CopyTo(into);
        into[copied..].Clear();
    }

    /// <summary>Adds the gradient of the places to that of the rows they hold; rows beyond the places get none.</summary>
    /// <param name="gradient">places × dimension.</param>
    /// <param name="dimension">Values a row.</param>
    /// <param name="rows">n × dimension; added to.</param>
    public static void AddFirstNGradient(ReadOnlySpan<float> gradient, int dimension, Span<float> rows)
    {
        Rows(rows.Length, dimension);
        Rows(gradient.Length, dimension);
        var shared = Math.Min(rows.Length, gradient.Length);
        TensorPrimitives.Add(rows[..shared], gradient[..shared], rows[..shared]);
    }

    private static int Rows(int length, int dimension) => dimension > 0 && length % dimension == 0
        ? length / dimension
        : throw new ArgumentException($"{length} values are no whole number of rows of {dimension}");
}
