using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;

namespace Monolith.Silos.Tests.Support;

/// <summary>Messages to a shard of <see cref="SomeModels.Small"/>, written shortly.</summary>
public static class Pushes
{
    /// <summary>A push to both tables whose gradients are a function of id and offset.</summary>
    public static GradientPush Of(
        ModelSpec spec, PartitionSpan span, ulong[] users, ulong[] items, uint eventTime = 1_000_000)
    {
        var tables = spec.WithCanary();
        int[] counts = [users.Length, items.Length, .. Enumerable.Repeat(0, tables.Count - 2)];
        ulong[] ids = [.. users, .. items];
        var gradients = new List<float>();
        for (var i = 0; i < ids.Length; i++)
        {
            var dimension = tables[i < users.Length ? 0 : 1].Dimension;
            gradients.AddRange(Enumerable.Range(0, dimension).Select(d => 0.1f * (float)Math.Sin((long)(ids[i] % 1000) + span.From + d)));
        }

        return new GradientPush(
            span,
            counts,
            Block.Of<ulong>(ids),
            Block.Of<float>(gradients.ToArray()),
            Block.Of<int>(Enumerable.Repeat(1, ids.Length).ToArray()),
            Block.Of<uint>(Enumerable.Repeat(eventTime, ids.Length).ToArray()));
    }

    public static LookupRequest Lookup(ModelSpec spec, ulong[] users, ulong[] items)
    {
        ulong[] ids = [.. users, .. items];
        return new LookupRequest([users.Length, items.Length, .. Enumerable.Repeat(0, spec.Tables.Length - 1)], Block.Of<ulong>(ids));
    }

    public static PartitionSpan Span(long from, long through, long epoch = 1, long watermarkMs = 0, string partition = "examples/0") =>
        new(partition, epoch, from, through, watermarkMs);
}
