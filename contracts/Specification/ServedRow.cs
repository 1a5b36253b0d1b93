using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;

namespace Monolith.Contracts.Specification;

/// <summary>Neighbouring values of one precision.</summary>
/// <param name="Precision">How each is kept.</param>
/// <param name="Dimension">How many.</param>
public readonly record struct RowRun(RowPrecision Precision, int Dimension)
{
    /// <summary>Bytes of all.</summary>
    public int Bytes => Dimension * (Precision == RowPrecision.Float32 ? sizeof(float) : sizeof(ushort));
}

/// <summary>
/// A table's row as it travels to replicas and as they keep it: each segment in its serving precision, no padding.
/// </summary>
public sealed class ServedRow
{
    /// <summary>The rows of a table.</summary>
    public ServedRow(TableSpec table)
        : this(Merged(table))
    {
    }

    private ServedRow(ImmutableArray<RowRun> runs)
    {
        Runs = runs;
        Bytes = runs.Sum(r => r.Bytes);
        Format = (uint)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(ToString()));
    }

    /// <summary>The row in order; neighbours differ in precision.</summary>
    public ImmutableArray<RowRun> Runs { get; }

    /// <summary>Bytes a row.</summary>
    public int Bytes { get; }

    /// <summary>Names the runs, as rows of other runs may be as long.</summary>
    public uint Format { get; }

    /// <summary>A row of 32-bit values: how the dense parameters travel.</summary>
    public static ServedRow Floats(int dimension) => new([new RowRun(RowPrecision.Float32, dimension)]);

    /// <inheritdoc/>
    public override string ToString() => string.Join(" + ", Runs.Select(r => $"{r.Dimension} × {r.Precision}"));

    private static ImmutableArray<RowRun> Merged(TableSpec table)
    {
        ArgumentNullException.ThrowIfNull(table);
        var runs = ImmutableArray.CreateBuilder<RowRun>();
        foreach (var segment in table.Segments)
        {
            // What was learned in 16 bits is in them already: 32 would say no more.
            var precision = segment.ServingPrecision == RowPrecision.Float32 ? table.Precision : segment.ServingPrecision;
            if (runs.Count > 0 && runs[^1].Precision == precision)
            {
                runs[^1] = new RowRun(precision, runs[^1].Dimension + segment.Dimension);
            }
            else
            {
                runs.Add(new RowRun(precision, segment.Dimension));
            }
        }

        return runs.ToImmutable();
    }
}
