using System.Text;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using EventAction = Monolith.Contracts.Events.Action;

namespace Monolith.Bench.Events;

/// <summary>
/// Made-up traffic: of three events two are impressions of a list and one is a click on the first of the two. Texts and
/// features are as long as a shop's.
/// </summary>
/// <param name="items">Items a list.</param>
internal sealed class JoinLoad(int items)
{
    public const int EventsARequestPair = 3;

    /// <summary>Two impressions and a click, as records.</summary>
    public void Append(List<NewRecord> into, ModelTopics topics, int pair, long timeMs)
    {
        for (var half = 0; half < 2; half++)
        {
            var request = RequestId(pair, half);
            var key = Encoding.UTF8.GetBytes(request);
            into.Add(new NewRecord(topics.Impressions, NewRecord.ByKey, key, Impression(request, pair, timeMs).ToByteArray()));
            if (half == 0)
            {
                var click = new EventAction { RequestId = request, ItemId = ItemId(pair, pair % items), Kind = "click", EventTimeMs = timeMs };
                into.Add(new NewRecord(topics.Actions, NewRecord.ByKey, key, click.ToByteArray()));
            }
        }
    }

    public static string RequestId(int pair, int half) => $"{pair:x8}-{half}-f7a1-4e0b";

    private static string ItemId(int pair, int item) => $"item-{((pair * 31L) + (item * 7919L)) % 100_000}";

    private Impression Impression(string request, int pair, long timeMs)
    {
        var impression = new Impression { RequestId = request, EventTimeMs = timeMs };
        impression.Shared["user_id"] = new FeatureValue { Text = $"user-{pair % 50_000}" };
        impression.Shared["city"] = new FeatureValue { Integer = pair % 500 };
        impression.Shared["device"] = new FeatureValue { Text = "mobile" };
        for (var i = 0; i < items; i++)
        {
            var item = new ShownItem { ItemId = ItemId(pair, i), Score = 0.05f };
            item.Features["position"] = new FeatureValue { Integer = i + 1 };
            item.Features["price"] = new FeatureValue { Number = 10 + (i * 3.5) };
            impression.Items.Add(item);
        }

        return impression;
    }
}
