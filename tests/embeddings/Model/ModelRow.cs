using Monolith.Contracts.Specification;

namespace Monolith.Embeddings.Tests.Model;

/// <summary>A row of the model: one value learned by SGD, two by Adagrad.</summary>
internal sealed class ModelRow
{
    public const int Width = 3;
    public const float SgdRate = 1;
    public const float AdagradRate = 0.5f;
    public const float InitialAccumulator = 0.1f;

    public ModelRow(ReadOnlySpan<float> initial) => initial.CopyTo(Values);

    public float[] Values { get; } = new float[Width];

    public float[] Accumulators { get; } = [InitialAccumulator, InitialAccumulator];

    public uint Seconds { get; set; }

    public int Occurrences { get; set; }

    /// <summary>Values are as computed; the table holds one of the two nearest of its precision.</summary>
    public bool IsWide { get; set; }

    /// <summary>It came with the present batch.</summary>
    public bool IsNew { get; set; }

    /// <summary>What the row is to learn if chance admits it: the table has to say how many of the occurrences.</summary>
    public (float[] Gradient, int Occurrences, uint Seconds)? Undecided { get; set; }

    public static TableSpec Spec { get; } = Specs.Table(
        Specs.Segment(1, new SgdOptimizer { LearningRate = SgdRate }),
        Specs.Segment(2, new AdagradOptimizer { LearningRate = AdagradRate, InitialAccumulator = InitialAccumulator }, new UniformInitializer(-1, 1)));

    public ModelRow Copy()
    {
        var copy = new ModelRow(Values) { Seconds = Seconds, Occurrences = Occurrences };
        Accumulators.CopyTo(copy.Accumulators, 0);
        return copy;
    }

    public void Learn(ReadOnlySpan<float> gradient, int occurrences, int admitted, uint seconds)
    {
        var share = (float)admitted / occurrences;
        Values[0] -= SgdRate * Share(gradient[0]);
        for (var i = 0; i < 2; i++)
        {
            var g = Share(gradient[i + 1]);
            Accumulators[i] += g * g;
            Values[i + 1] -= AdagradRate * g / MathF.Sqrt(Accumulators[i]);
        }

        Seconds = Math.Max(Seconds, seconds);
        Occurrences = Math.Min(8191, Occurrences + admitted);
        IsWide = true;

        float Share(float g) => admitted == occurrences ? g : g * share;
    }

    /// <summary>Compares with a row of the table; takes over which way a 16-bit value was rounded.</summary>
    public bool Matches(RowPrecision precision, uint seconds, int occurrences, ReadOnlySpan<byte> bytes)
    {
        var valueBytes = precision == RowPrecision.Float32 ? 12 : 8;
        var good = seconds == Seconds && occurrences == Occurrences && bytes.Length == valueBytes + 8;
        for (var i = 0; i < 2; i++)
        {
            good &= BitConverter.ToSingle(bytes[(valueBytes + (4 * i))..]) == Accumulators[i];
        }

        for (var i = 0; i < Width; i++)
        {
            var found = precision switch
            {
                RowPrecision.Float32 => BitConverter.ToSingle(bytes[(4 * i)..]),
                RowPrecision.Float16 => (float)BitConverter.ToHalf(bytes[(2 * i)..]),
                _ => Wide((uint)BitConverter.ToUInt16(bytes[(2 * i)..]) << 16),
            };
            good &= found == Values[i] || (IsWide && IsNeighbour(precision, Values[i], found));
            Values[i] = found;
        }

        IsWide = false;
        return good;
    }

    /// <summary>Whether a 16-bit value is the next above or below.</summary>
    private static bool IsNeighbour(RowPrecision precision, float value, float found)
    {
        switch (precision)
        {
            case RowPrecision.Float16:
                var half = (Half)value;
                return (float)half != value && (found == (float)half
                    || found == (float)((float)half < value ? Half.BitIncrement(half) : Half.BitDecrement(half)));
            case RowPrecision.BFloat16:
                var towardsZero = BitConverter.SingleToUInt32Bits(value) & 0xffff0000;
                return Wide(towardsZero) != value && (found == Wide(towardsZero) || found == Wide(towardsZero + 0x10000));
            default:
                return false;
        }
    }

    private static float Wide(uint bits) => BitConverter.UInt32BitsToSingle(bits);
}
