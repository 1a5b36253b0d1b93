using System.Numerics.Tensors;

namespace Monolith.Standalone.Demo.World;

/// <summary>How users look at lists and what they click on.</summary>
internal static class Behaviour
{
    private const double Bias = -3.2;
    private const double TasteWeight = 5;
    private const double LookFurther = 0.95;

    /// <summary>Probability that a user who looks at an item clicks on it.</summary>
    /// <param name="taste">The user's taste.</param>
    /// <param name="activity">How readily the user clicks.</param>
    /// <param name="item">The item.</param>
    public static double Attraction(ReadOnlySpan<float> taste, float activity, Item item)
    {
        var match = TensorPrimitives.Dot(taste, item.Vector);
        return 1 / (1 + Math.Exp(-(Bias + (TasteWeight * match) + item.Quality + activity)));
    }

    /// <summary>Probability that a user looks at a position, from 1: each is looked at less often than the one above.</summary>
    public static double Examination(int position) => Math.Pow(LookFurther, position - 1);
}
