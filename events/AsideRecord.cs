using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Monolith.Contracts.Events;

namespace Monolith.Events;

/// <summary>
/// Records that are set aside in the dead-letter or the orphans topic, with where they came from and why. One that would be
/// too large for the log is cut, with a note of what it was: nothing can be too large to be set aside.
/// </summary>
public static class AsideRecord
{
    private const int MaxReasonChars = 1_000;
    private const int MaxKeyBytes = 1_024;
    private const int MaxHeaderBytes = 16 << 10;

    /// <summary>Bytes that a record takes in a log at most, as <see cref="IEventLog.MaxRecordBytes"/> counts them.</summary>
    public static long SizeOf(in NewRecord record)
    {
        var size = 32L + record.Key.Length + record.Value.Length;
        foreach (var header in record.Headers ?? [])
        {
            size += HeaderSize(header);
        }

        return size;
    }

    /// <summary>The record to append to a topic of records that were set aside.</summary>
    /// <param name="topic">The dead-letter or the orphans topic.</param>
    /// <param name="from">Where the record lay.</param>
    /// <param name="record">The record.</param>
    /// <param name="reason">Why it is set aside; it is cut after 1,000 characters.</param>
    /// <param name="maxRecordBytes">Bytes that the log takes.</param>
    public static NewRecord Of(string topic, TopicPartition from, in EventRecord record, string reason, int maxRecordBytes)
    {
        ArgumentNullException.ThrowIfNull(reason);
        List<EventHeader> own =
        [
            Header(AsideHeaders.Reason, reason.Length <= MaxReasonChars ? reason : $"{reason.AsSpan(0, MaxReasonChars)}…"),
            Header(AsideHeaders.Topic, from.Topic),
            Header(AsideHeaders.Partition, from.Partition.ToString(CultureInfo.InvariantCulture)),
            Header(AsideHeaders.Offset, record.Offset.ToString(CultureInfo.InvariantCulture)),
        ];
        var whole = new NewRecord(topic, NewRecord.ByKey, record.Key, record.Value) { Headers = [.. record.Headers ?? [], .. own] };
        return SizeOf(whole) <= maxRecordBytes ? whole : Cut(whole, record, own, maxRecordBytes);
    }

    private static NewRecord Cut(NewRecord whole, in EventRecord record, List<EventHeader> own, int maxRecordBytes)
    {
        var headers = record.Headers ?? [];
        var headerBytes = headers.Sum(HeaderSize);
        var keepsHeaders = headerBytes <= Math.Min(MaxHeaderBytes, maxRecordBytes / 8);
        var key = record.Key[..Math.Min(record.Key.Length, MaxKeyBytes)];
        var note = string.Create(
            CultureInfo.InvariantCulture,
            $"The record was too large to be kept whole. Its value had {record.Value.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(record.Value.Span))}; its key had {record.Key.Length} bytes; it had {headers.Count} headers of {headerBytes} bytes{(keepsHeaders ? "" : ", which are left out")}.");
        var cut = whole with
        {
            Key = key,
            Value = default,
            Headers = [.. keepsHeaders ? headers : [], .. own, Header(AsideHeaders.Cut, note)],
        };
        var room = (int)Math.Clamp(maxRecordBytes - SizeOf(cut), 0, record.Value.Length);
        return cut with { Value = record.Value[..room] };
    }

    private static long HeaderSize(EventHeader header) => 12L + Encoding.UTF8.GetByteCount(header.Name) + header.Value.Length;

    private static EventHeader Header(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));
}
