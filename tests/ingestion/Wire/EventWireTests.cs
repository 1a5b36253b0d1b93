using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Ingestion.Wire;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Ingestion.Tests.Wire;

/// <summary>The joiner reads bytes and the ingest API objects: both say the same of the same mistake.</summary>
public sealed class EventWireTests
{
    private static readonly string Long = new('é', EventRules.MaxIdBytes / 2);

    public static TheoryData<Impression> Impressions =>
    [
        new Impression(),
        new Impression { RequestId = Long + "x", Items = { new ShownItem { ItemId = "a" } } },
        new Impression { RequestId = "r", Items = { new ShownItem { ItemId = "a" }, new ShownItem { Score = 0.5f }, new ShownItem() } },
        new Impression { RequestId = "r", Items = { new ShownItem { ItemId = Long + "x" } } },
        new Impression { Items = { new ShownItem() } },
        new Impression { RequestId = "r", Items = { Many(EventRules.MaxItems + 1) } },
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
        var impression = new Impression { RequestId = Long, Items = { Many(EventRules.MaxItems) } };
        impression.Items[0].ItemId = Long;
        Assert.Null(ImpressionWire.Read(impression.ToByteArray(), out var shown));
        Assert.Equal(EventRules.MaxItems, shown.Items);
        Assert.Null(ActionWire.Read(new EventAction { RequestId = Long, ItemId = Long, Kind = Long }.ToByteArray(), out _));
        Assert.Null(ActionWire.Read(new EventAction { RequestId = $"{EventRules.CanaryPrefix}1" }.ToByteArray(), out _));
    }

    private static IEnumerable<ShownItem> Many(int items) => Enumerable.Range(0, items).Select(i => new ShownItem { ItemId = $"{i}" });
}
