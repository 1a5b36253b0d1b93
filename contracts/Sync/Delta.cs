using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Specification;

namespace Monolith.Contracts.Sync;

/// <summary>What a delta says of one table: how many rows were updated and deleted, and what a row is.</summary>
/// <param name="Updated">Rows with new values.</param>
/// <param name="Deleted">Rows that are gone.</param>
/// <param name="RowBytes">Bytes of a row: <see cref="ServedRow.Bytes"/>.</param>
/// <param name="RowFormat">What they mean: <see cref="ServedRow.Format"/>.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public readonly record struct DeltaTable(int Updated, int Deleted, int RowBytes, uint RowFormat)
{
    /// <summary>What a delta says of a table.</summary>
    public DeltaTable(int updated, int deleted, ServedRow row)
        : this(updated, deleted, row.Bytes, row.Format)
    {
    }

    internal long Bytes => (8L * Updated) + ((long)Updated * RowBytes) + (8L * Deleted);
}

/// <summary>
/// The change of a shard from one sequence to the next: for each table the ids and rows that were updated and the ids of
/// deleted ones. The dense parameters travel as one row, id 0, of one table. In Redis a delta lies in pieces of
/// <see cref="PieceBytes"/>.
/// </summary>
/// <remarks>
/// Little-endian: <c>magic u32 "MDLT", version u32, model u64 (XxHash3 of its name), shard i32, tables i32, epoch i64,
/// from-sequence i64, sequence i64, watermark i64, length i64 (of the delta, in bytes)</c>; for each table <c>updated, deleted, row bytes, row format i32</c>; for each
/// table <c>ids u64[updated], rows u8[updated × row bytes], deleted u64[deleted]</c>; <c>XxHash3 u64</c> of all before.
/// </remarks>
public sealed class Delta : IDisposable
{
    /// <summary>Longest delta of a shard, in bytes; more changes than that are cheaper as a snapshot.</summary>
    public const int BytesMax = 8 << 20;

    /// <summary>Longest delta of the dense parameters, in bytes; longer ones travel by snapshots alone.</summary>
    public const int DenseBytesMax = 256 << 20;

    /// <summary>
    /// Bytes of a piece; the last may be shorter. The embedded server never frees values above 1 MiB, and other servers too
    /// answer nobody else while they copy a long value.
    /// </summary>
    public const int PieceBytes = 512 << 10;

    private const uint Magic = 0x544c444d;
    private const uint FormatVersion = 3;
    private const int ChecksumBytes = 8;
    private static readonly int HeaderBytes = Unsafe.SizeOf<Header>();
    private static readonly int TableBytes = Unsafe.SizeOf<DeltaTable>();
    private readonly Block _block;
    private readonly int[] _starts;

    private Delta(Block block, int[] starts)
    {
        _block = block;
        _starts = starts;
    }

    /// <summary>The shard; <see cref="RedisNames.Dense"/> for the dense parameters.</summary>
    public int Shard => Head.Shard;

    /// <summary>The epoch of both sequences.</summary>
    public long Epoch => Head.Epoch;

    /// <summary>The sequence this continues from.</summary>
    public long FromSequence => Head.FromSequence;

    /// <summary>The sequence this leads to.</summary>
    public long Sequence => Head.Sequence;

    /// <summary>Emission time that the shard has learned through at <see cref="Sequence"/>, in Unix milliseconds.</summary>
    public long WatermarkMs => Head.WatermarkMs;

    /// <summary>Number of tables, canary table included.</summary>
    public int Tables => Head.Tables;

    /// <summary>The delta as it travels, pieces joined.</summary>
    public ReadOnlyMemory<byte> Memory => _block.Memory;

    /// <summary>Number of pieces that it travels in.</summary>
    public int Pieces => CountPieces(_block.Length);

    private ref Header Head => ref MemoryMarshal.AsRef<Header>(_block.Bytes);

    /// <summary>Length in bytes of a delta with these tables.</summary>
    public static long LengthOf(ReadOnlySpan<DeltaTable> tables)
    {
        long bytes = HeaderBytes + (TableBytes * tables.Length) + ChecksumBytes;
        foreach (var table in tables)
        {
            bytes += table.Bytes;
        }

        return bytes;
    }

    /// <summary>The bytes of a piece.</summary>
    public ReadOnlyMemory<byte> Piece(int piece)
    {
        var start = piece * PieceBytes;
        return Memory.Slice(start, Math.Min(PieceBytes, Memory.Length - start));
    }

    /// <summary>Number of pieces of a delta, by its first one; 1 too where that is not one of a delta of this format.</summary>
    public static int PiecesOf(ReadOnlySpan<byte> first)
    {
        if (first.Length < HeaderBytes)
        {
            return 1;
        }

        var head = MemoryMarshal.Read<Header>(first);
        return head.Magic == Magic && head.Version == FormatVersion && head.Length > 0 && head.Length <= MaxBytesOf(head.Shard)
            ? CountPieces((int)head.Length)
            : 1;
    }

    /// <summary>Makes room for a delta; the caller fills ids, rows and deletions and then calls <see cref="Seal"/>.</summary>
    public static Delta Create(
        string model, int shard, long epoch, long fromSequence, long sequence, long watermarkMs, ReadOnlySpan<DeltaTable> tables)
    {
        var bytes = LengthOf(tables);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, MaxBytesOf(shard));
        var block = Block.Rent<byte>((int)bytes);
        MemoryMarshal.AsRef<Header>(block.Bytes) = new Header
        {
            Magic = Magic,
            Version = FormatVersion,
            Model = ModelTag(model),
            Shard = shard,
            Tables = tables.Length,
            Epoch = epoch,
            FromSequence = fromSequence,
            Sequence = sequence,
            WatermarkMs = watermarkMs,
            Length = bytes,
        };
        MemoryMarshal.AsBytes(tables).CopyTo(block.Bytes[HeaderBytes..]);
        return new Delta(block, Starts(tables));
    }

    /// <summary>Whether bytes are those that were sealed; what they say is for <see cref="Parse"/>.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderBytes + ChecksumBytes
        && XxHash3.HashToUInt64(bytes[..^ChecksumBytes]) == MemoryMarshal.Read<ulong>(bytes[^ChecksumBytes..]);

    /// <summary>Reads a delta.</summary>
    /// <param name="bytes">As it travelled; copied.</param>
    /// <param name="model">The model it must belong to.</param>
    /// <param name="tables">The tables it must have: for each, what a row is.</param>
    /// <exception cref="InvalidDataException">It is damaged, or of another model; the message says what is wrong.</exception>
    public static Delta Parse(ReadOnlySpan<byte> bytes, string model, ReadOnlySpan<ServedRow> tables)
    {
        if (!IsWhole(bytes))
        {
            throw new InvalidDataException($"A delta of {bytes.Length} bytes is damaged: its checksum does not match.");
        }

        var head = MemoryMarshal.Read<Header>(bytes);
        if (head.Magic != Magic || head.Version != FormatVersion)
        {
            throw new InvalidDataException(
                $"A delta of format {head.Magic:x8} version {head.Version} was found; {Magic:x8} version {FormatVersion} is read.");
        }

        if (head.Model != ModelTag(model) || head.Tables != tables.Length)
        {
            throw new InvalidDataException(
                $"A delta with {head.Tables} tables is not one of model '{model}' with {tables.Length} tables.");
        }

        return Read(bytes, tables);
    }

    /// <summary>Ids of the updated rows of a table.</summary>
    public Span<ulong> Ids(int table) => MemoryMarshal.Cast<byte, ulong>(_block.Bytes.Slice(_starts[table], 8 * TableAt(table).Updated));

    /// <summary>The updated rows of a table, in the order of the ids.</summary>
    public Span<byte> Rows(int table)
    {
        var shape = TableAt(table);
        return _block.Bytes.Slice(_starts[table] + (8 * shape.Updated), shape.Updated * shape.RowBytes);
    }

    /// <summary>Ids of the deleted rows of a table.</summary>
    public Span<ulong> Deleted(int table)
    {
        var shape = TableAt(table);
        return MemoryMarshal.Cast<byte, ulong>(
            _block.Bytes.Slice(_starts[table] + (shape.Updated * (8 + shape.RowBytes)), 8 * shape.Deleted));
    }

    /// <summary>Computes the checksum: the last thing before it travels.</summary>
    public void Seal()
    {
        var checksum = XxHash3.HashToUInt64(_block.Bytes[..^ChecksumBytes]);
        MemoryMarshal.Write(_block.Bytes[^ChecksumBytes..], checksum);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _block.Dispose();

    private static Delta Read(ReadOnlySpan<byte> bytes, ReadOnlySpan<ServedRow> rows)
    {
        if (bytes.Length < HeaderBytes + (TableBytes * rows.Length) + ChecksumBytes)
        {
            throw new InvalidDataException($"A delta of {bytes.Length} bytes is too short for its {rows.Length} tables.");
        }

        var tables = MemoryMarshal.Cast<byte, DeltaTable>(bytes.Slice(HeaderBytes, TableBytes * rows.Length));
        for (var t = 0; t < tables.Length; t++)
        {
            if (tables[t].RowBytes != rows[t].Bytes || tables[t].RowFormat != rows[t].Format || tables[t].Updated < 0 || tables[t].Deleted < 0)
            {
                throw new InvalidDataException(
                    $"Table {t} of a delta has rows of {tables[t].RowBytes} bytes in format {tables[t].RowFormat:x8}; " +
                    $"the specification says {rows[t].Bytes} in format {rows[t].Format:x8} ({rows[t]}).");
            }
        }

        if (LengthOf(tables) != bytes.Length || MemoryMarshal.Read<Header>(bytes).Length != bytes.Length)
        {
            throw new InvalidDataException($"A delta has {bytes.Length} bytes; its tables need {LengthOf(tables)}.");
        }

        return new Delta(Block.Of(bytes), Starts(tables));
    }

    private static int[] Starts(ReadOnlySpan<DeltaTable> tables)
    {
        var starts = new int[tables.Length];
        var at = HeaderBytes + (TableBytes * tables.Length);
        for (var t = 0; t < tables.Length; t++)
        {
            starts[t] = at;
            at += (int)tables[t].Bytes;
        }

        return starts;
    }

    private static int CountPieces(int bytes) => (bytes + PieceBytes - 1) / PieceBytes;

    private static int MaxBytesOf(int shard) => shard == RedisNames.Dense ? DenseBytesMax : BytesMax;

    private static ulong ModelTag(string model) => XxHash3.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(model));

    private DeltaTable TableAt(int table) =>
        MemoryMarshal.Cast<byte, DeltaTable>(_block.Bytes.Slice(HeaderBytes, TableBytes * Tables))[table];

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Header
    {
        public uint Magic;
        public uint Version;
        public ulong Model;
        public int Shard;
        public int Tables;
        public long Epoch;
        public long FromSequence;
        public long Sequence;
        public long WatermarkMs;
        public long Length;
    }
}
