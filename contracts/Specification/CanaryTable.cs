namespace Monolith.Contracts.Specification;

/// <summary>
/// The reserved table through which freshness is measured: one row a shard that carries the time a canary was sent. It is
/// the last table of every model (index = <c>Tables.Length</c>) and travels like any other: lookup, push, delta, replica.
/// A row is (⌊ms / 2²⁴⌋, ms mod 2²⁴), both exact as floats; its optimizer assigns what is pushed.
/// </summary>
public static class CanaryTable
{
    private const double Radix = 1 << 24;

    /// <summary>The table's specification.</summary>
    public static TableSpec Spec { get; } = new()
    {
        Name = "__canary",
        Segments = [new SegmentSpec { Dimension = 2, Optimizer = new MovingAverageOptimizer { Decay = 0 } }],
    };

    /// <summary>All tables of a model with the canary table last: the order of table indexes everywhere.</summary>
    public static IReadOnlyList<TableSpec> WithCanary(this ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return [.. spec.Tables, Spec];
    }

    /// <summary>The id whose row lies in the given shard: the smallest that does.</summary>
    public static ulong IdOf(int shard, int shards)
    {
        for (var id = 0UL; ; id++)
        {
            if (ShardMap.Of(id, shards) == shard)
            {
                return id;
            }
        }
    }

    /// <summary>Writes a time into a row of two values.</summary>
    public static void Encode(long unixMs, Span<float> row)
    {
        row[0] = (float)Math.Floor(unixMs / Radix);
        row[1] = (float)(unixMs % (long)Radix);
    }

    /// <summary>Reads a row's time in Unix milliseconds; 0 when none came yet.</summary>
    public static long Decode(ReadOnlySpan<float> row) => ((long)row[0] << 24) + (long)row[1];
}
