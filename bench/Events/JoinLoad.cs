using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Bench.Events;

/// <summary>
/// Made-up traffic: of three events two are impressions of a list and one is a click on the first of the two. Texts and
/// features are as long as a shop's. Lists are encoded once and given a request id and a time each: the load must cost little
/// beside what is measured.
/// </summary>
internal sealed class JoinLoad
{
    public const int EventsARequestPair = 3;
    private const int Lists = 4096;
    private const int RequestIdBytes = 20;
    private const int HeadBytes = 2 + RequestIdBytes + 7;
    private readonly byte[][] _lists = new byte[Lists][];
    private readonly byte[][] _clicks = new byte[Lists][];

    /// <param name="items">Items a list; 3 or more, so that a positive's group is told from a list's negatives.</param>
    public JoinLoad(int items)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(items, 3);
        for (var i = 0; i < Lists; i++)
        {
            _lists[i] = List(i, items).ToByteArray();
            _clicks[i] = new EventAction { ItemId = ItemId(i, i % items), Kind = "click" }.ToByteArray();
        }
    }

    /// <summary>Two impressions and a click, as records.</summary>
    public void Append(List<NewRecord> into, ModelTopics topics, int pair, long timeMs)
    {
        for (var half = 0; half < 2; half++)
        {
            var shown = Impression(pair, half, timeMs);
            var key = KeyOf(shown);
            into.Add(new NewRecord(topics.Impressions, NewRecord.ByKey, key, shown));
            if (half == 0)
            {
                into.Add(new NewRecord(topics.Actions, NewRecord.ByKey, key, Encode(pair, half, timeMs, 5 << 3, _clicks[pair % Lists])));
            }
        }
    }

    /// <summary>An impression of some pair.</summary>
    public byte[] Impression(int pair, int half, long timeMs) => Encode(pair, half, timeMs, 3 << 3, _lists[pair % Lists]);

    /// <summary>The request id of an impression.</summary>
    public static Memory<byte> KeyOf(byte[] impression) => impression.AsMemory(2, RequestIdBytes);

    /// <summary>The pair whose only example a group is; −1: it is another kind of group.</summary>
    public static int PairOfPositive(ReadOnlySpan<byte> group)
    {
        var (pair, examples) = (-1, 0);
        for (var at = 0; at < group.Length;)
        {
            var tag = group[at++];
            var value = Varint(group, ref at);
            if ((tag & 7) == 2)
            {
                var bytes = group.Slice(at, (int)value);
                at += bytes.Length;
                examples += tag == ((5 << 3) | 2) ? 1 : 0;
                if (tag == ((1 << 3) | 2))
                {
                    pair = (int)Convert.ToUInt32(Encoding.ASCII.GetString(bytes[..8]), 16);
                }
            }
        }

        return examples == 1 ? pair : -1;
    }

    private static byte[] Encode(int pair, int half, long timeMs, byte timeTag, byte[] rest)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(HeadBytes + rest.Length);
        bytes[0] = (2 << 3) | 2;
        bytes[1] = RequestIdBytes;
        RequestId(bytes.AsSpan(2), pair, half);
        bytes[2 + RequestIdBytes] = timeTag;
        for (var i = 0; i < 6; i++, timeMs >>= 7)
        {
            // Today's times have six groups of seven bits.
            bytes[3 + RequestIdBytes + i] = (byte)((timeMs & 0x7f) | (i < 5 ? 0x80L : 0));
        }

        rest.CopyTo(bytes, HeadBytes);
        return bytes;
    }

    private static void RequestId(Span<byte> to, int pair, int half)
    {
        Span<byte> big = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(big, pair);
        Convert.TryToHexStringLower(big, to[..8], out _);
        "-0-f7a1-4e0b"u8.CopyTo(to[8..]);
        to[9] = (byte)('0' + half);
    }

    private static ulong Varint(ReadOnlySpan<byte> from, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = from[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static string ItemId(int list, int item) => $"item-{((list * 31L) + (item * 7919L)) % 100_000}";

    private static Impression List(int list, int items)
    {
        var impression = new Impression();
        impression.Shared["user_id"] = new FeatureValue { Text = $"user-{list}" };
        impression.Shared["city"] = new FeatureValue { Integer = list % 500 };
        impression.Shared["device"] = new FeatureValue { Text = "mobile" };
        for (var i = 0; i < items; i++)
        {
            var item = new ShownItem { ItemId = ItemId(list, i), Score = 0.05f };
            item.Features["position"] = new FeatureValue { Integer = i + 1 };
            item.Features["price"] = new FeatureValue { Number = 10 + (i * 3.5) };
            impression.Items.Add(item);
        }

        return impression;
    }
}
