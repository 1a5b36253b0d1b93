using Monolith.Embeddings.Initialization;

namespace Monolith.Bench.Table;

/// <summary>How ids are drawn.</summary>
public enum Draw
{
    /// <summary>Each row as likely as any other.</summary>
    Uniform,

    /// <summary>Zipf with exponent 1.</summary>
    Zipf,

    /// <summary>Uniform, every second id without a row.</summary>
    HalfMissing,
}

/// <summary>What is measured: how many rows of which width, and which of them are asked for.</summary>
public sealed record Workload(long Rows, int Dimension, Draw Draw)
{
    /// <summary>Ids a batch.</summary>
    public const int Batch = 1024;

    /// <summary>The id of a row: spread over all 64 bits.</summary>
    public static ulong IdOf(long row) => Mixer.Mix((ulong)row + 0x51ed270b0a1f39c1UL);

    /// <summary>Draws ids.</summary>
    public void Fill(Span<ulong> ids, Random random)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = Draw switch
            {
                Draw.Zipf => IdOf(Zipf(random)),
                Draw.HalfMissing => IdOf(random.NextInt64(Rows) + ((i & 1) == 0 ? 0 : Rows)),
                _ => IdOf(random.NextInt64(Rows)),
            };
        }
    }

    /// <summary>Draws ids that are distinct within each batch, as updates are.</summary>
    public void FillDistinct(Span<ulong> ids, Random random)
    {
        Fill(ids, random);
        var seen = new HashSet<ulong>(Batch);
        for (var i = 0; i < ids.Length; i++)
        {
            if (i % Batch == 0)
            {
                seen.Clear();
            }

            while (!seen.Add(ids[i]))
            {
                ids[i] = IdOf(random.NextInt64(Rows));
            }
        }
    }

    /// <summary>By the continuous approximation of the distribution function, ln(k)/ln(n).</summary>
    private long Zipf(Random random) => Math.Min(Rows - 1, (long)Math.Pow(Rows + 1.0, random.NextDouble()) - 1);
}
