using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Ingestion.Wire;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Tests.Wire;

/// <summary>The joiner reads bytes and the ingest API objects: both say the same of the same mistake.</summary>
public sealed class EventWireTests
{
    private static readonly string Long = new('é', EventLimits.MaxIdBytes / 2);

    public static TheoryData<Impression> Impressions =>
    [
        new Impression(),
        new Impression { RequestId = Long + "x", Items = { new ShownItem { ItemId = "a" } } },
        new Impression { RequestId = "r", Items = { new ShownItem { ItemId = "a" }, new ShownItem { Score = 0.5f }, new ShownItem() } },
        new Impression { RequestId = "r", Items = { new ShownItem { ItemId = Long + "x" } } },
        new Impression { Items = { new ShownItem() } },
        new Impression { RequestId = "r", Items = { Many(EventLimits.MaxItems + 1) } },
    ];

    public static TheoryData<EventAction> Actions =>
    [
        new EventAction(),
        new EventAction { RequestId = Long + "x", ItemId = "a", Kind = "click" },
        new EventAction { RequestId = "r", Kind = "click" },
        new EventAction { RequestId = "r", ItemId = Long + "x", Kind = "click" },
        new EventAction { RequestId = "r", ItemId = "a" },
        new EventAction { RequestId = "r", ItemId = "a", Kind = Long + "x" },
    ];

    [Theory]
    [MemberData(nameof(Impressions))]
    public void A_mistake_in_an_impression_is_said_as_the_API_says_it(Impression wrong)
    {
        var said = ImpressionWire.Read(wrong.ToByteArray(), out _);
        Assert.NotNull(said);
        Assert.Equal(EventRules.Mistake(wrong), said);
    }

    [Theory]
    [MemberData(nameof(Actions))]
    public void A_mistake_in_an_action_is_said_as_the_API_says_it(EventAction wrong)
    {
        var said = ActionWire.Read(wrong.ToByteArray(), out _);
        Assert.NotNull(said);
        Assert.Equal(EventRules.Mistake(wrong), said);
    }

    [Fact]
    public void What_is_just_allowed_is_taken()
    {
        var impression = new Impression { RequestId = Long, Items = { Many(EventLimits.MaxItems) } };
        impression.Items[0].ItemId = Long;
        Assert.Null(ImpressionWire.Read(impression.ToByteArray(), out var shown));
        Assert.Equal(EventLimits.MaxItems, shown.Items);
        Assert.Null(ActionWire.Read(new EventAction { RequestId = Long, ItemId = Long, Kind = Long }.ToByteArray(), out _));
        Assert.Null(ActionWire.Read(new EventAction { RequestId = $"{EventRules.CanaryPrefix}1" }.ToByteArray(), out _));
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
        Assert.True(Damage(impression.ToByteArray(), bytes => ImpressionWire.Read(bytes, out _)) > 8);
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

    private static IEnumerable<ShownItem> Many(int items) => Enumerable.Range(0, items).Select(i => new ShownItem { ItemId = $"{i}" });
}
