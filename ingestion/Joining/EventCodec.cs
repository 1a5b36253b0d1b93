using System.Buffers;
using System.Text;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;

namespace Monolith.Ingestion.Joining;

/// <summary>
/// How a record's bytes are read: its <c>content-type</c> header says <c>application/json</c> or
/// <c>application/x-protobuf</c>; without one they are protobuf.
/// </summary>
internal static class EventCodec
{
    public const string ContentType = "content-type";
    public const string Json = "application/json";
    public const string Protobuf = "application/x-protobuf";

    public static byte[] JsonImpression(ReadOnlyMemory<byte> json) => One(EventJson.Impressions, json);

    public static byte[] JsonAction(ReadOnlyMemory<byte> json) => One(EventJson.Actions, json);

    /// <summary>The record's bytes as protobuf; false with what is wrong when there are none.</summary>
    public static bool Decode(
        in EventRecord record,
        Func<ReadOnlyMemory<byte>, byte[]> fromJson,
        out ReadOnlyMemory<byte> bytes,
        out string? mistake)
    {
        bytes = record.Value;
        mistake = null;
        if (record.Headers is not { Count: > 0 } headers)
        {
            return true;
        }

        foreach (var header in headers)
        {
            if (header.Name.Equals(ContentType, StringComparison.OrdinalIgnoreCase))
            {
                return Decode(Encoding.UTF8.GetString(header.Value.Span), record, fromJson, ref bytes, out mistake);
            }
        }

        return true;
    }

    private static bool Decode(
        string contentType,
        in EventRecord record,
        Func<ReadOnlyMemory<byte>, byte[]> fromJson,
        ref ReadOnlyMemory<byte> bytes,
        out string? mistake)
    {
        mistake = null;
        switch (contentType.Split(';')[0].Trim().ToLowerInvariant())
        {
            case Protobuf or "application/protobuf" or "application/vnd.google.protobuf":
                return true;
            case Json:
                try
                {
                    bytes = fromJson(record.Value);
                    return true;
                }
                catch (EventFormatException e)
                {
                    mistake = e.Message;
                    return false;
                }

            default:
                mistake = $"content-type: '{contentType}' is not known; {Json} and {Protobuf} are.";
                return false;
        }
    }

    private static byte[] One<T>(Func<ReadOnlySequence<byte>, int, List<T>> read, ReadOnlyMemory<byte> json)
        where T : IMessage<T>
    {
        try
        {
            return read(new ReadOnlySequence<byte>(json), 1) is [var only]
                ? only.ToByteArray()
                : throw new EventFormatException("A record holds one event; this one has an empty array.");
        }
        catch (TooManyEventsException e)
        {
            throw new EventFormatException("A record holds one event; this one has an array of several.", e);
        }
    }
}
