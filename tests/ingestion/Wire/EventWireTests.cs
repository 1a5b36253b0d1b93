using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Features;
using Monolith.Ingestion.Wire;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Tests.Wire;

/// <summary>What is accepted, over HTTP and from the log alike, and how a mistake is named.</summary>
public sealed class EventWireTests
{
    private static readonly string Long = new('é', EventLimits.MaxIdBytes / 2);

    public static TheoryData<Impression, string> Impressions => new()
    {
        { new Impression(), "request_id is missing." },
        { new Impression { RequestId = Long + "x", Items = { new ShownItem { ItemId = "a" } } }, "request_id: has more than 512 bytes." },
        { new Impression { RequestId = "r", EventId = Long + "x" }, "event_id: has more than 512 bytes." },
        { new Impression { RequestId = "r", Items = { new ShownItem { ItemId = "a" }, new ShownItem { Score = 0.5f }, new ShownItem() } }, "items[1].item_id is missing." },
        { new Impression { RequestId = "r", Items = { new ShownItem { ItemId = Long + "x" } } }, "items[0].item_id: has more than 512 bytes." },
        { new Impression { Items = { new ShownItem() } }, "request_id is missing." },
        { new Impression { RequestId = "r", Items = { Many(EventLimits.MaxItems + 1) } }, "items: has 10,001 items; at most 10,000 are allowed." },
        { new Impression { RequestId = "r", Versions = { Enumerable.Repeat(new ShardVersion(), 1026) } }, "versions: has 1,026 versions; at most 1,025 are allowed." },
        { Scored(float.PositiveInfinity), "items[0].score: 'Infinity' is not allowed; a probability, 0 to 1, is." },
        { Scored(float.NaN), "items[0].score: 'NaN' is not allowed; a probability, 0 to 1, is." },
        { Scored(-0.5f), "items[0].score: '-0.5' is not allowed; a probability, 0 to 1, is." },
        { Scored(1.5f), "items[0].score: '1.5' is not allowed; a probability, 0 to 1, is." },
    };

    public static TheoryData<EventAction, string> Actions => new()
    {
        { new EventAction(), "request_id is missing." },
        { new EventAction { RequestId = Long + "x", ItemId = "a", Kind = "click" }, "request_id: has more than 512 bytes." },
        { new EventAction { RequestId = "r", Kind = "click" }, "item_id is missing." },
        { new EventAction { RequestId = "r", ItemId = Long + "x", Kind = "click" }, "item_id: has more than 512 bytes." },
        { new EventAction { RequestId = "r", ItemId = "a" }, "kind is missing." },
        { new EventAction { RequestId = "r", ItemId = "a", Kind = Long + "x" }, "kind: has more than 512 bytes." },
        { new EventAction { RequestId = "r", ItemId = "a", Kind = "k", Value = double.NaN }, "value: 'NaN' is not allowed; a finite number is." },
        { new EventAction { RequestId = "r", ItemId = "a", Kind = "k", EventId = Long + "x" }, "event_id: has more than 512 bytes." },
    };

    [Theory]
    [MemberData(nameof(Impressions))]
    public void A_mistake_in_an_impression_names_the_field_what_was_found_and_what_is_allowed(Impression wrong, string mistake)
        => Assert.Equal(mistake, ImpressionWire.Read(wrong.ToByteArray(), null, out _));

    [Theory]
    [MemberData(nameof(Actions))]
    public void A_mistake_in_an_action_names_the_field_what_was_found_and_what_is_allowed(EventAction wrong, string mistake)
        => Assert.Equal(mistake, ActionWire.Read(wrong.ToByteArray(), out _));

    [Fact]
    public void Sizes_are_bounded()
    {
        Refuses("shared: has 262,", Sharing(1, EventLimits.MaxSharedBytes));
        Refuses("bytes × items; at most 67,108,864 are allowed.", Sharing(1000, 80_000));
        Refuses("items[0]: has 2,001 features; at most 2,000 are allowed.", WithFeatures(EventLimits.MaxFeatures + 1));
        Refuses("items[0]: has 262,", OfItemBytes(EventLimits.MaxItemBytes));

        static void Refuses(string mistake, Impression impression)
            => Assert.Contains(mistake, ImpressionWire.Read(impression.ToByteArray(), null, out _), StringComparison.Ordinal);
    }

    [Fact]
    public void Shared_values_count_once_for_each_item()
    {
        var spec = Fixture.Spec with
        {
            Features = [.. Fixture.Spec.Features, new CategoricalFeature { Name = "tags", Source = "tags", Table = "main", Separator = "|" }],
        };
        var impression = new Impression { RequestId = "r", Items = { Many(500) } };
        impression.Shared["tags"] = new FeatureValue { Text = string.Join('|', Enumerable.Range(0, 4_000)) };
        Assert.Null(ImpressionWire.Read(impression.ToByteArray(), new FieldRules(spec), out _));
        impression.Items[7].Features["tags"] = new FeatureValue { Text = "one" };
        Assert.Equal(
            "items: has 2,000,001 values in the examples of all items; at most 2,000,000 are allowed.",
            ImpressionWire.Read(impression.ToByteArray(), new FieldRules(spec), out _));
    }

    [Fact]
    public void What_is_just_allowed_is_taken()
    {
        var impression = new Impression { RequestId = Long, Items = { Many(EventLimits.MaxItems) } };
        impression.Items[0].ItemId = Long;
        Assert.Null(ImpressionWire.Read(impression.ToByteArray(), null, out var shown));
        Assert.Equal(EventLimits.MaxItems, shown.Items);
        Assert.Null(ActionWire.Read(new EventAction { RequestId = Long, ItemId = Long, Kind = Long }.ToByteArray(), out _));
        Assert.Null(ActionWire.Read(new EventAction { RequestId = "__canary/1" }.ToByteArray(), out _));
    }

    [Fact]
    public void Text_that_is_no_utf8_and_bytes_that_end_early_are_damage_wherever_they_are()
    {
        const string Marker = "\u00c4\u00c4\u00c4";
        var impression = Fixture.Impression(Marker, 1, Marker);
        impression.Shared[Marker] = new FeatureValue { Text = Marker };
        impression.Items[0].Features[Marker] = new FeatureValue { List = new TextList { Values = { "a", Marker } } };
        impression.Items[0].Features["long"] = new FeatureValue { Text = Marker + new string('x', 40) };
        var action = new EventAction { RequestId = Marker, ItemId = Marker, Kind = Marker };
        Assert.True(Damage(impression.ToByteArray(), bytes => ImpressionWire.Read(bytes, null, out _)) > 8);
        Assert.Equal(3, Damage(action.ToByteArray(), bytes => ActionWire.Read(bytes, out _)));

        static int Damage(byte[] whole, Func<byte[], string?> read)
        {
            Assert.Null(read(whole));
            var markers = Enumerable.Range(0, whole.Length).Where(at => whole.AsSpan(at).StartsWith("\u00c4\u00c4\u00c4"u8)).ToList();
            foreach (var at in markers)
            {
                var damaged = whole.ToArray();
                damaged[at + 1] = 0xff;
                Assert.Contains("damaged at or before byte", read(damaged), StringComparison.Ordinal);
                Assert.NotNull(read(whole[..at]));
            }

            return markers.Count;
        }
    }

    private static Impression Scored(float score) => new() { RequestId = "r", Items = { new ShownItem { ItemId = "a", Score = score } } };

    private static Impression Sharing(int items, int bytes)
    {
        var impression = new Impression { RequestId = "r", Items = { Many(items) } };
        impression.Shared["text"] = new FeatureValue { Text = new string('x', bytes + 15) };
        return impression;
    }

    private static Impression OfItemBytes(int bytes)
    {
        var impression = new Impression { RequestId = "r", Items = { Many(1) } };
        impression.Items[0].Features["text"] = new FeatureValue { Text = new string('x', bytes + 8) };
        return impression;
    }

    private static Impression WithFeatures(int features)
    {
        var impression = new Impression { RequestId = "r", Items = { Many(1) } };
        for (var i = 0; i < features; i++)
        {
            impression.Items[0].Features[$"{i}"] = new FeatureValue { Integer = i };
        }

        return impression;
    }

    private static IEnumerable<ShownItem> Many(int items) => Enumerable.Range(0, items).Select(i => new ShownItem { ItemId = $"{i}" });
}
