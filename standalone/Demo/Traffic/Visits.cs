using System.Globalization;
using Monolith.Standalone.Demo.World;

namespace Monolith.Standalone.Demo.Traffic;

/// <summary>
/// What a visitor does: asks for a list, looks at what is shown, less the further down, clicks on what attracts and was
/// looked at. Which user comes, what is on offer and what is clicked depend on the seed and the visit's number alone.
/// </summary>
internal sealed class Visits(WorldOptions options, string model, DemoApi api, TrafficCounters counters, TimeProvider clock)
{
    private static readonly TimeSpan ShortestThought = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestThought = TimeSpan.FromMilliseconds(1500);
    private readonly Population _population = new(options);
    private readonly Catalogue _catalogue = new(options);

    // Request ids name the run, since a second run on the same data continues the numbers where the first was saved.
    private readonly string _run = clock.GetUtcNow().ToUnixTimeMilliseconds().ToString("x", CultureInfo.InvariantCulture);

    /// <summary>One visit.</summary>
    /// <param name="number">The visit's number.</param>
    /// <param name="seconds">The world's time.</param>
    /// <param name="hurry">Ends the visitor's thinking: what would be clicked is clicked at once.</param>
    /// <param name="cancellation">Gives the visit up.</param>
    public async Task Make(long number, double seconds, CancellationToken hurry, CancellationToken cancellation)
    {
        var random = new SeededRandom(options.Seed, Draw.Request, number);
        var requestId = string.Create(CultureInfo.InvariantCulture, $"{_run}-{number}");
        var user = random.Below(_population.Count);
        var segment = _population.SegmentOf(user);
        var candidates = new Item[options.Candidates];
        var category = random.Unit() < options.Browsing ? random.Below(Catalogue.Categories) : default(int?);
        _catalogue.Sample(ref random, seconds, category, candidates);
        var reply = await api.Score(
            model, json => EventBodies.Score(json, requestId, user, segment, candidates), cancellation);
        if (reply is null)
        {
            return;
        }

        var shown = Show(ref random, candidates, reply);
        var clicked = Look(ref random, user, seconds, shown);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (await api.Send(
            "/v1/impressions",
            json => EventBodies.Impression(json, requestId, now, user, segment, shown, reply.Versions),
            cancellation))
        {
            counters.AddEvents(1);
            counters.AddRequest(shown.Length, clicked.Count);
            await Task.WhenAll(clicked.Select(c => Click(requestId, c.Item, c.After, hurry, cancellation)));
        }
    }

    private Shown[] Show(ref SeededRandom random, Item[] candidates, ScoreReply reply)
    {
        var explores = random.Unit() < options.Exploration;
        var order = new (double Key, int Index)[candidates.Length];
        for (var i = 0; i < order.Length; i++)
        {
            var chance = random.Unit();
            order[i] = (explores ? chance : -reply.Scores[i].Score, i);
        }

        Array.Sort(order);
        var shown = new Shown[Math.Min(options.Shown, order.Length)];
        for (var p = 0; p < shown.Length; p++)
        {
            var index = order[p].Index;
            shown[p] = new Shown(candidates[index], p + 1, reply.Scores[index].Score);
        }

        return shown;
    }

    private List<(Item Item, TimeSpan After)> Look(ref SeededRandom random, int user, double seconds, Shown[] shown)
    {
        Span<float> taste = stackalloc float[Population.Dimension];
        _population.TasteAt(user, seconds, taste);
        var clicked = new List<(Item, TimeSpan)>();
        foreach (var (item, position, _) in shown)
        {
            var attraction = Behaviour.Attraction(taste, _population.ActivityOf(user), item);
            var (chance, thought) = (random.Unit(), random.Unit());
            if (chance < Behaviour.Examination(position) * attraction)
            {
                clicked.Add((item, ShortestThought + (thought * (LongestThought - ShortestThought))));
            }
        }

        return clicked;
    }

    private async Task Click(string requestId, Item item, TimeSpan after, CancellationToken hurry, CancellationToken cancellation)
    {
        await Task.Delay(after, clock, hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (await api.Send("/v1/actions", json => EventBodies.Click(json, requestId, item.Id, now), cancellation))
        {
            counters.AddEvents(1);
        }
    }
}
