using System.IO.Hashing;
using CsCheck;
using Monolith.Contracts.Specification;
using Monolith.Contracts.Sync;

namespace Monolith.Silos.Tests.Sync;

public sealed class DeltaTests
{
    private static readonly Gen<ServedRow> Rows = Gen.Select(Gen.Int[1, 5], Gen.Enum<RowPrecision>(), Gen.Int[1, 5], Gen.Enum<RowPrecision>())
        .Select((a, p, b, q) => Row((a, p), (b, q)));

    private static readonly Gen<(ulong[] Updated, ulong[] Deleted, ServedRow Row)[]> Tables =
        Gen.Select(Gen.ULong.Array[0, 20], Gen.ULong.Array[0, 20], Rows).Array[1, 4];

    [Fact]
    public void What_is_parsed_is_what_was_made() => Tables.Sample(tables =>
    {
        using var made = Make(tables);
        using var read = Delta.Parse(made.Memory.Span, "m", RowsOf(tables));
        Assert.Equal((3, 7L, 4L, 5L, 123L), (read.Shard, read.Epoch, read.FromSequence, read.Sequence, read.WatermarkMs));
        Assert.Equal(tables.Length, read.Tables);
        for (var t = 0; t < tables.Length; t++)
        {
            Assert.Equal(tables[t].Updated, read.Ids(t).ToArray());
            Assert.Equal(tables[t].Deleted, read.Deleted(t).ToArray());
            Assert.Equal(Enumerable.Range(0, tables[t].Updated.Length * tables[t].Row.Bytes).Select(i => (byte)(i + t)), read.Rows(t).ToArray());
        }
    });

    [Fact]
    public void Any_flipped_bit_and_any_missing_end_is_refused() =>
        Gen.Select(Tables, Gen.Int[0, int.MaxValue], Gen.Int[0, 7]).Sample((tables, at, bit) =>
        {
            using var made = Make(tables);
            var bytes = made.Memory.ToArray();
            bytes[at % bytes.Length] ^= (byte)(1 << bit);
            Assert.Throws<InvalidDataException>(() => Delta.Parse(bytes, "m", RowsOf(tables)));
            bytes = made.Memory[..(at % made.Memory.Length)].ToArray();
            Assert.Throws<InvalidDataException>(() => Delta.Parse(bytes, "m", RowsOf(tables)));
        });

    [Fact]
    public void A_delta_of_another_model_or_of_other_tables_is_refused()
    {
        var row = Row((1, RowPrecision.Float32), (4, RowPrecision.Float16));
        using var made = Make([([1, 2], [3], row)]);
        Assert.Throws<InvalidDataException>(() => Delta.Parse(made.Memory.Span, "n", [row]));
        Assert.Throws<InvalidDataException>(() => Delta.Parse(made.Memory.Span, "m", [row, row]));
        foreach (var other in new[] { ServedRow.Floats(3), ServedRow.Floats(5), Row((1, RowPrecision.Float32), (4, RowPrecision.BFloat16)) })
        {
            var error = Assert.Throws<InvalidDataException>(() => Delta.Parse(made.Memory.Span, "m", [other]));
            Assert.Contains($"rows of 12 bytes in format {row.Format:x8}; ", error.Message, StringComparison.Ordinal);
            Assert.Contains($"({other})", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_delta_of_an_older_format_is_refused_by_its_version()
    {
        using var made = Make([([1, 2], [3], ServedRow.Floats(4))]);
        var bytes = made.Memory.ToArray();
        bytes[4] = 1;
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8), XxHash3.HashToUInt64(bytes.AsSpan(0, bytes.Length - 8)));
        var error = Assert.Throws<InvalidDataException>(() => Delta.Parse(bytes, "m", [ServedRow.Floats(4)]));
        Assert.Contains("version 1 was found", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pieces_joined_are_the_delta_and_the_first_says_how_many_there_are()
    {
        using var made = Delta.Create("m", 0, 1, 0, 1, 0, [new DeltaTable(20_000, 3, ServedRow.Floats(17))]);
        made.Seal();
        byte[] joined = [.. Enumerable.Range(0, made.Pieces).SelectMany(i => made.Piece(i).ToArray())];
        Assert.Equal(made.Memory.ToArray(), joined);
        Assert.Equal(3, made.Pieces);
        Assert.Equal(3, Delta.PiecesOf(made.Piece(0).Span));
        Assert.Equal(1, Delta.PiecesOf([1, 2, 3]));
    }

    [Fact]
    public void A_delta_beyond_the_limit_is_not_made() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Delta.Create("m", 0, 1, 0, 1, 0, [new DeltaTable(10_000_000, 0, ServedRow.Floats(17))]));

    private static ServedRow Row(params (int Dimension, RowPrecision Precision)[] segments) => new(new TableSpec
    {
        Name = "t",
        Segments = [.. segments.Select(s => new SegmentSpec { Dimension = s.Dimension, Optimizer = new SgdOptimizer(), ServingPrecision = s.Precision })],
    });

    private static ServedRow[] RowsOf((ulong[] Updated, ulong[] Deleted, ServedRow Row)[] tables) =>
        [.. tables.Select(t => t.Row)];

    private static Delta Make((ulong[] Updated, ulong[] Deleted, ServedRow Row)[] tables)
    {
        var delta = Delta.Create(
            "m", 3, 7, 4, 5, 123, [.. tables.Select(t => new DeltaTable(t.Updated.Length, t.Deleted.Length, t.Row))]);
        for (var t = 0; t < tables.Length; t++)
        {
            tables[t].Updated.CopyTo(delta.Ids(t));
            tables[t].Deleted.CopyTo(delta.Deleted(t));
            var rows = delta.Rows(t);
            for (var i = 0; i < rows.Length; i++)
            {
                rows[i] = (byte)(i + t);
            }
        }

        delta.Seal();
        return delta;
    }
}
