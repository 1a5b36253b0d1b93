using Monolith.Contracts.Grains;
using Monolith.Embeddings;

namespace Monolith.Silos.Shards;

/// <summary>Whether the lengths in a message agree with each other and with the tables.</summary>
internal static class ShardMessages
{
    /// <summary>Floats that the rows of a message take: for each table, count × dimension.</summary>
    public static int Values(int[] counts, EmbeddingTable[] tables)
    {
        var values = 0;
        for (var t = 0; t < counts.Length; t++)
        {
            values = checked(values + (counts[t] * tables[t].Dimension));
        }

        return values;
    }

    public static void Check(LookupRequest request, EmbeddingTable[] tables)
    {
        var ids = Ids(request.Counts, tables);
        Require(request.Ids.Length == ids * sizeof(ulong), "ids", request.Ids.Length, ids * sizeof(ulong));
    }

    public static void Check(GradientPush push, EmbeddingTable[] tables)
    {
        ArgumentNullException.ThrowIfNull(push);
        var ids = push.Counts.Length == 0 ? 0 : Ids(push.Counts, tables);
        var values = Values(push.Counts, tables);
        Require(push.Ids.Length == ids * sizeof(ulong), "ids", push.Ids.Length, ids * sizeof(ulong));
        Require(push.Gradients.Length == values * sizeof(float), "gradients", push.Gradients.Length, values * sizeof(float));
        Require(push.Occurrences.Length == ids * sizeof(int), "occurrences", push.Occurrences.Length, ids * sizeof(int));
        Require(push.EventTimes.Length == ids * sizeof(uint), "event times", push.EventTimes.Length, ids * sizeof(uint));
    }

    private static int Ids(int[] counts, EmbeddingTable[] tables)
    {
        if (counts.Length != tables.Length)
        {
            throw new ArgumentException(
                $"The message counts the ids of {counts.Length} tables; the model has {tables.Length}, the canary table included.");
        }

        var ids = 0;
        foreach (var count in counts)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(count);
            ids = checked(ids + count);
        }

        return ids;
    }

    private static void Require(bool holds, string what, int found, int expected)
    {
        if (!holds)
        {
            throw new ArgumentException($"The message's {what} have {found} bytes; its counts need {expected}.");
        }
    }
}
