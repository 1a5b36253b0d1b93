using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Embeddings.Combiners;

namespace Monolith.Embeddings.Tests.Combiners;

public sealed class CombiningTests
{
    private static readonly float[] Rows = [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory]
    [InlineData(Combiner.Sum, 16, 20)]
    [InlineData(Combiner.Mean, 4, 5)]
    [InlineData(Combiner.SqrtN, 8, 10)]
    public void Rows_combine(Combiner combiner, float first, float second)
    {
        var into = new float[2];
        Combining.Combine(combiner, Rows, into);
        Assert.Equal([first, second], into);
        Combining.Combine(combiner, [], into);
        Assert.Equal([0f, 0f], into);
    }

    [Fact]
    public void Gradients_are_those_of_finite_differences() => Gen.Select(
            Gen.Enum<Combiner>(), Gen.Int[0, 5], Gen.Float[-1, 1].Array[15], Gen.Float[-1, 1].Array[3])
        .Sample(
            (combiner, count, values, gradient) =>
            {
                var rows = values[..(count * 3)];
                var found = new float[rows.Length];
                Combining.AddGradient(combiner, gradient, found);
                for (var i = 0; i < rows.Length; i++)
                {
                    Assert.Equal(Loss(+0.5f, i) - Loss(-0.5f, i), found[i], 1e-4f);
                }

                float Loss(float step, int at)
                {
                    var moved = (float[])rows.Clone();
                    moved[at] += step;
                    var into = new float[3];
                    Combining.Combine(combiner, moved, into);
                    return into.Zip(gradient, (a, b) => a * b).Sum();
                }
            },
            iter: 300,
            threads: 1);

    [Fact]
    public void First_n_pads_and_truncates_and_so_does_its_gradient()
    {
        var into = new float[6];
        Combining.FirstN(Rows, 2, into);
        Assert.Equal([1f, 2, 3, 4, 5, 6], into);
        Combining.FirstN(Rows.AsSpan(0, 2), 2, into);
        Assert.Equal([1f, 2, 0, 0, 0, 0], into);
        var gradient = new float[8];
        Combining.AddFirstNGradient(into, 2, gradient);
        Assert.Equal([1f, 2, 0, 0, 0, 0, 0, 0], gradient);
        var single = new float[2];
        Combining.AddFirstNGradient([3, 4, 5, 6], 2, single);
        Assert.Equal([3f, 4f], single);
        Assert.Throws<ArgumentException>(() => Combining.FirstN(Rows, 3, into));
    }
}
