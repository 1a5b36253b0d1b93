using System.Buffers;
using System.Text;
using CsCheck;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Features;
using Monolith.Ingestion.Joining;
using Monolith.Ingestion.Wire;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Tests.Wire;

/// <summary>Whatever the bytes are, reading an event ends with an event or with a reason.</summary>
public sealed class EventFuzzTests
{
    private const int Rounds = 20_000;
    private static readonly FieldRules Fields = new(Fixture.Spec);

    private static readonly string[] Json =
    [
        """{"event_id":"e1","request_id":"r1","event_time_ms":1700000000000,"shared":{"user_id":"u7","city":12,"x":1.5,"y":null},"items":[{"item_id":"a","features":{"tags":["new",7,0.5]},"score":0.25}],"versions":[{"shard":-1,"epoch":2,"sequence":3}]}""",
        """{"request_id":"r1","item_id":"a","kind":"click","event_time_ms":1700000003000,"value":2.5,"more":[[{}]]}""",
        "[]", "", "null", "7", "\"\\ud800\"", """{"request_id":"\udc00\ud800"}""", """{"request_id":1e400}""", """{"\ud800":1}""",
    ];

    private static readonly byte[][] Protobuf =
        [Fixture.Impression("r1", 1_700_000_000_000, "a", "b").ToByteArray(), Fixture.Action("r1", "a", 1_700_000_000_000).ToByteArray()];

    private static readonly Gen<byte[]> AnyJson = Mutated(OneOf(Json).Select(Encoding.UTF8.GetBytes));

    private static readonly Gen<byte[]> AnyProtobuf = Mutated(OneOf(Protobuf));

    [Fact]
    public void Json_that_cannot_be_read_gives_only_a_format_exception()
        => AnyJson.Sample(
            bytes =>
            {
                Read(() => EventJson.Impressions(new ReadOnlySequence<byte>(bytes), 100));
                Read(() => EventJson.Actions(new ReadOnlySequence<byte>(bytes), 100));
            },
            iter: Rounds);

    [Fact]
    public void Protobuf_that_is_accepted_is_what_the_parser_reads_too()
        => AnyProtobuf.Sample(
            bytes =>
            {
                if (ImpressionWire.Read(bytes, Fields, out var impression) is null)
                {
                    var parsed = Impression.Parser.ParseFrom(bytes);
                    Assert.Equal(parsed.RequestId, Encoding.UTF8.GetString(impression.RequestId));
                    Assert.Equal((parsed.Items.Count, parsed.EventTimeMs), (impression.Items, impression.EventTimeMs));
                }

                if (ActionWire.Read(bytes, out var action) is null)
                {
                    var parsed = EventAction.Parser.ParseFrom(bytes);
                    Assert.Equal((parsed.ItemId, parsed.Kind), (Encoding.UTF8.GetString(action.ItemId), Encoding.UTF8.GetString(action.Kind)));
                    Assert.Equal((parsed.Value, parsed.EventTimeMs), (action.Value, action.EventTimeMs));
                }
            },
            iter: Rounds);

    [Fact]
    public void A_joiner_takes_any_record_and_what_it_emits_can_be_parsed()
        => Gen.Select(Gen.OneOf(AnyJson, AnyProtobuf), OneOf("", "application/json", "application/x-protobuf", "\ud800", "a/b"), Gen.Byte.Array[0, 3])
            .Array[1, 8].Sample(
            records =>
            {
                using var joiner = new PartitionJoiner(new JoinRules(Fixture.Spec, 1), 0, new ImpressionStore(new JoinMemory(long.MaxValue)));
                var output = new JoinOutput();
                output.Begin(1_700_000_000_000);
                foreach (var (value, contentType, key) in records)
                {
                    var record = new EventRecord(0, 1_700_000_000_000, key, value)
                    {
                        Headers = contentType.Length == 0 ? null : [new EventHeader("content-type", Encoding.UTF8.GetBytes(contentType))],
                    };
                    joiner.Impression(record, output);
                    joiner.Action(record, output);
                }

                joiner.Advance(1_800_000_000_000, output);
                foreach (var record in output.Records.Where(r => r.Topic.EndsWith(".examples", StringComparison.Ordinal)))
                {
                    ExampleGroup.Parser.ParseFrom(record.Value.Span);
                }
            },
            iter: Rounds / 5);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static void Read(Func<object> read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is EventFormatException or TooManyEventsException)
        {
            Assert.True(e.Message.Length < 1_000, e.Message);
        }
    }

    // A few bytes changed, taken out, put in or cut off; or no event at all.
    private static Gen<byte[]> Mutated(Gen<byte[]> valid) => Gen.OneOf(
        valid,
        Gen.Byte.Array[0, 100],
        Gen.Select(valid, Gen.Select(Gen.Int[0, 3], Gen.Int[0, 400], Gen.Byte).Array[1, 4]).Select((bytes, changes) =>
        {
            var list = bytes.ToList();
            foreach (var (what, where, value) in changes)
            {
                var at = list.Count == 0 ? 0 : where % list.Count;
                switch (what)
                {
                    case 0 when list.Count > 0:
                        list[at] = value;
                        break;
                    case 1 when list.Count > 0:
                        list.RemoveAt(at);
                        break;
                    case 2:
                        list.Insert(at, value);
                        break;
                    default:
                        list.RemoveRange(at, list.Count - at);
                        break;
                }
            }

            return list.ToArray();
        }));
}
