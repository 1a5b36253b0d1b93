using CsCheck;
using Monolith.Contracts.Sync;

namespace Monolith.Silos.Tests.Sync;

public sealed class DeltaTests
{
    private static readonly Gen<(ulong[] Updated, ulong[] Deleted, int Dimension)[]> Tables =
        Gen.Select(Gen.ULong.Array[0, 20], Gen.ULong.Array[0, 20], Gen.Int[1, 9]).Array[1, 4];

    [Fact]
    public void What_is_parsed_is_what_was_made() => Tables.Sample(tables =>
    {
        using var made = Make(tables);
        using var read = Delta.Parse(made.Memory.Span, "m", Dimensions(tables));
        Assert.Equal((3, 7L, 4L, 5L, 123L), (read.Shard, read.Epoch, read.FromSequence, read.Sequence, read.WatermarkMs));
        Assert.Equal(tables.Length, read.Tables);
        for (var t = 0; t < tables.Length; t++)
        {
            Assert.Equal(tables[t].Updated, read.Ids(t).ToArray());
            Assert.Equal(tables[t].Deleted, read.Deleted(t).ToArray());
            Assert.Equal(Enumerable.Range(0, tables[t].Updated.Length * tables[t].Dimension).Select(i => i + t + 0.5f), read.Values(t).ToArray());
        }
    });

    [Fact]
    public void Any_flipped_bit_and_any_missing_end_is_refused() =>
        Gen.Select(Tables, Gen.Int[0, int.MaxValue], Gen.Int[0, 7]).Sample((tables, at, bit) =>
        {
            using var made = Make(tables);
            var bytes = made.Memory.ToArray();
            bytes[at % bytes.Length] ^= (byte)(1 << bit);
            Assert.Throws<InvalidDataException>(() => Delta.Parse(bytes, "m", Dimensions(tables)));
            bytes = made.Memory[..(at % made.Memory.Length)].ToArray();
            Assert.Throws<InvalidDataException>(() => Delta.Parse(bytes, "m", Dimensions(tables)));
        });

    [Fact]
    public void A_delta_of_another_model_or_of_other_tables_is_refused()
    {
        using var made = Make([([1, 2], [3], 4)]);
        Assert.Throws<InvalidDataException>(() => Delta.Parse(made.Memory.Span, "n", [4]));
        Assert.Throws<InvalidDataException>(() => Delta.Parse(made.Memory.Span, "m", [4, 4]));
        var error = Assert.Throws<InvalidDataException>(() => Delta.Parse(made.Memory.Span, "m", [5]));
        Assert.Contains("rows of 4 values; the specification says 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_delta_beyond_the_limit_is_not_made() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Delta.Create("m", 0, 1, 0, 1, 0, [new DeltaTable(10_000_000, 0, 17)]));

    private static int[] Dimensions((ulong[] Updated, ulong[] Deleted, int Dimension)[] tables) =>
        [.. tables.Select(t => t.Dimension)];

    private static Delta Make((ulong[] Updated, ulong[] Deleted, int Dimension)[] tables)
    {
        var delta = Delta.Create(
            "m", 3, 7, 4, 5, 123, [.. tables.Select(t => new DeltaTable(t.Updated.Length, t.Deleted.Length, t.Dimension))]);
        for (var t = 0; t < tables.Length; t++)
        {
            tables[t].Updated.CopyTo(delta.Ids(t));
            tables[t].Deleted.CopyTo(delta.Deleted(t));
            var values = delta.Values(t);
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = i + t + 0.5f;
            }
        }

        delta.Seal();
        return delta;
    }
}
