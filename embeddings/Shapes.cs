using System.Diagnostics.CodeAnalysis;

namespace Monolith.Embeddings;

/// <summary>Checks of a batch's shapes; the throwing is cold.</summary>
internal static class Shapes
{
    public static void Check(int length, int ids, int width, string name)
    {
        if (length != (long)ids * width)
        {
            Throw(length, ids, width, name);
        }
    }

    public static void CheckTrains(TableContent content)
    {
        if (content != TableContent.Training)
        {
            throw new InvalidOperationException("this table holds values without optimizer state: it is assigned to, neither updated nor saved");
        }
    }

    [DoesNotReturn]
    private static void Throw(int length, int ids, int width, string name) =>
        throw new ArgumentException($"{name} has {length} values; {ids} ids × {width} need {(long)ids * width}", name);
}
