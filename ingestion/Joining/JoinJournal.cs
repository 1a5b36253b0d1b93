using System.Buffers.Binary;

namespace Monolith.Ingestion.Joining;

/// <summary>
/// What one transaction did with one partition; a record of the joins topic. Replaying these over the input gives the
/// joiner's state again: the input is in the log, only how it was cut and when windows closed is not.
/// </summary>
/// <param name="Sequence">Number of the transaction of this partition.</param>
/// <param name="FloorSequence">The oldest transaction that what is pending now depends on.</param>
/// <param name="ImpressionsFrom">Impressions it took, from this offset …</param>
/// <param name="ImpressionsThrough">… to this (exclusive).</param>
/// <param name="ActionsFrom">Actions it took after them, from this offset …</param>
/// <param name="ActionsThrough">… to this (exclusive).</param>
/// <param name="WatermarkBeforeMs">The watermark it began with.</param>
/// <param name="WatermarkMs">The watermark it ended with.</param>
/// <param name="NewestMs">The newest event time it took; 0: none.</param>
internal readonly record struct JoinEntry(
    long Sequence,
    long FloorSequence,
    long ImpressionsFrom,
    long ImpressionsThrough,
    long ActionsFrom,
    long ActionsThrough,
    long WatermarkBeforeMs,
    long WatermarkMs,
    long NewestMs)
{
    private const byte Version = 1;
    private const int Bytes = 1 + (9 * 8);

    /// <summary>How many records it took, as far as offsets say.</summary>
    public long Records => ImpressionsThrough - ImpressionsFrom + ActionsThrough - ActionsFrom;

    public byte[] Encode()
    {
        var bytes = new byte[Bytes];
        bytes[0] = Version;
        var at = 1;
        foreach (var value in (ReadOnlySpan<long>)
                 [
                     Sequence, FloorSequence, ImpressionsFrom, ImpressionsThrough, ActionsFrom, ActionsThrough,
                     WatermarkBeforeMs, WatermarkMs, NewestMs,
                 ])
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
            at += 8;
        }

        return bytes;
    }

    /// <exception cref="InvalidDataException">The bytes are no entry of this version.</exception>
    public static JoinEntry Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Bytes || bytes[0] != Version)
        {
            throw new InvalidDataException(
                $"The joiner's journal holds a record of {bytes.Length} bytes, version {(bytes.Length > 0 ? bytes[0] : 0)}; this version reads {Version}.");
        }

        Span<long> values = stackalloc long[9];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(1 + (8 * i))..]);
        }

        return new JoinEntry(values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8]);
    }
}
