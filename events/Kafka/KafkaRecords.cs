using System.Runtime.InteropServices;
using Confluent.Kafka;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Monolith.Events.Kafka;

/// <summary>Between our records and the client's.</summary>
internal static class KafkaRecords
{
    public static Message<byte[], byte[]> ToMessage(in NewRecord record)
    {
        var message = new Message<byte[], byte[]> { Key = Bytes(record.Key), Value = Bytes(record.Value) };
        if (record.Headers is { Count: > 0 } headers)
        {
            message.Headers = [];
            foreach (var header in headers)
            {
                message.Headers.Add(header.Name, Bytes(header.Value));
            }
        }

        return message;
    }

    /// <summary>About what a record takes in a request; never less.</summary>
    public static int SizeOf(in NewRecord record)
    {
        const int Framing = 64;
        var size = Framing + record.Key.Length + record.Value.Length;
        foreach (var header in record.Headers ?? [])
        {
            size += Framing + (3 * header.Name.Length) + header.Value.Length;
        }

        return size;
    }

    public static EventRecord FromMessage(ConsumeResult<byte[], byte[]> result)
    {
        var message = result.Message;
        var record = new EventRecord(result.Offset.Value, message.Timestamp.UnixTimestampMs, message.Key, message.Value);
        if (message.Headers is not { Count: > 0 } headers)
        {
            return record;
        }

        var copied = new EventHeader[headers.Count];
        for (var i = 0; i < copied.Length; i++)
        {
            copied[i] = new EventHeader(headers[i].Key, headers[i].GetValueBytes());
        }

        return record with { Headers = copied };
    }

    public static EventLogException Failure(string what, KafkaException e) => new($"Kafka could not {what}: {e.Error.Reason} ({e.Error.Code}).", e);

    /// <summary>Whether an error says that somebody else has taken over.</summary>
    public static bool IsFenced(ErrorCode code) => code is ErrorCode.Local_Fenced or ErrorCode.InvalidProducerEpoch or ErrorCode.ProducerFenced
        or ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.FencedInstanceId;

    private static byte[] Bytes(ReadOnlyMemory<byte> memory)
        => MemoryMarshal.TryGetArray(memory, out var array) && array.Offset == 0 && array.Array!.Length == array.Count ? array.Array : memory.ToArray();
}
