using Monolith.Standalone.Demo.World;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Tests.Demo.World;

public sealed class WorldTests
{
    private static readonly WorldOptions Options = new() { Users = 500 };

    [Fact]
    public void The_same_seed_and_time_give_the_same_world_whatever_was_asked_before()
    {
        var (one, other) = (new Population(Options), new Population(Options));
        Span<float> taste = stackalloc float[Population.Dimension];
        one.TasteAt(3, 10, taste);
        one.TasteAt(7, 99, taste);
        Span<float> again = stackalloc float[Population.Dimension];
        other.TasteAt(7, 99, again);
        Assert.Equal(taste.ToArray(), again.ToArray());
        Assert.Equal(Draw(new Catalogue(Options), 42), Draw(new Catalogue(Options), 42));
    }

    [Fact]
    public void Tastes_drift_slowly_and_half_of_the_segments_change_at_once()
    {
        var population = new Population(Options);
        var slow = Similarity(population, 10, 20);
        var abrupt = Similarity(population, 59.9, 60.1);
        Assert.All(slow, s => Assert.InRange(s.Cosine, 0.95, 0.9999999));
        Assert.All(abrupt, s => Assert.True((s.Cosine < 0.95) == ((s.Segment & 1) == 1), $"segment {s.Segment}: {s.Cosine}"));
    }

    [Fact]
    public void Places_are_always_filled_and_new_items_take_the_oldest_ones_place()
    {
        var catalogue = new Catalogue(Options);
        var before = Numbers(catalogue, 0);
        Assert.InRange(before.Min(), 0, Options.Items - 1);
        Assert.InRange(before.Max(), 0, Options.Items - 1);
        var after = Numbers(catalogue, 100);
        Assert.InRange(after.Min(), 200, long.MaxValue);
        Assert.InRange(after.Max(), Options.Items, Options.Items + 199);
    }

    [Fact]
    public void A_category_with_too_few_items_is_filled_up_with_others()
    {
        var catalogue = new Catalogue(Options with { Items = 48 });
        var random = new SeededRandom(1, Monolith.Standalone.Demo.World.Draw.Request, 1);
        var items = new Item[Options.Candidates];
        catalogue.Sample(ref random, 0, 3, items);
        Assert.Equal(items.Length, items.Select(i => i.Number).Distinct().Count());
        Assert.Contains(items, i => i.Category == 3);
    }

    [Fact]
    public void Popular_places_are_drawn_more_often()
    {
        var catalogue = new Catalogue(Options);
        var counts = new Dictionary<long, int>();
        for (var request = 0; request < 2000; request++)
        {
            foreach (var item in Draw(catalogue, request % 2, request))
            {
                counts[item] = counts.GetValueOrDefault(item) + 1;
            }
        }

        var sorted = counts.Values.OrderDescending().ToArray();
        Assert.True(sorted.Take(100).Sum() > 0.3 * sorted.Sum());
    }

    [Fact]
    public void Who_knew_the_tastes_would_rank_far_better_than_position_does()
    {
        var (model, baseline, rate) = Play(knowing: true);
        Assert.True(model.Auc > baseline.Auc + 0.15, $"model {model.Auc}, position {baseline.Auc}, rate {rate}");
        Assert.InRange(rate, 0.05, 0.35);
    }

    [Fact]
    public void Who_knows_nothing_cannot()
    {
        var (model, baseline, _) = Play(knowing: false);
        Assert.InRange(baseline.Auc!.Value, 0.52, 0.62);
        Assert.True(model.Auc < baseline.Auc + 0.02, $"model {model.Auc}, position {baseline.Auc}");
    }

    private static (QualityFigures Model, QualityFigures Baseline, double Rate) Play(bool knowing)
    {
        var (population, catalogue) = (new Population(Options), new Catalogue(Options));
        var (model, baseline) = (new List<(float, float)>(), new List<(float, float)>());
        var taste = new float[Population.Dimension];
        var candidates = new Item[Options.Candidates];
        for (var request = 0; request < 4000; request++)
        {
            var random = new SeededRandom(Options.Seed, Monolith.Standalone.Demo.World.Draw.Request, request);
            var user = random.Below(population.Count);
            population.TasteAt(user, 5, taste);
            var category = random.Unit() < Options.Browsing ? random.Below(Catalogue.Categories) : default(int?);
            catalogue.Sample(ref random, 5, category, candidates);
            var scored = new List<(Item Item, double Score)>();
            foreach (var item in candidates)
            {
                scored.Add((item, knowing ? Behaviour.Attraction(taste, population.ActivityOf(user), item) : random.Unit()));
            }

            var explores = random.Unit() < Options.Exploration;
            var position = 0;
            foreach (var (item, score) in scored.OrderByDescending(s => explores ? 0 : s.Score).Take(Options.Shown))
            {
                var probability = Behaviour.Examination(++position)
                    * Behaviour.Attraction(taste, population.ActivityOf(user), item);
                var label = random.Unit() < probability ? 1f : 0f;
                model.Add(((float)score, label));
                baseline.Add((1f / position, label));
            }
        }

        return (QualityFigures.Of(model), QualityFigures.Of(baseline), model.Average(m => m.Item2));
    }

    private static List<(int Segment, double Cosine)> Similarity(Population population, double from, double to)
    {
        var found = new List<(int, double)>();
        Span<float> a = stackalloc float[Population.Dimension];
        Span<float> b = stackalloc float[Population.Dimension];
        for (var user = 0; user < 100; user++)
        {
            population.TasteAt(user, from, a);
            population.TasteAt(user, to, b);
            found.Add((population.SegmentOf(user), System.Numerics.Tensors.TensorPrimitives.Dot<float>(a, b)));
        }

        return found;
    }

    private static long[] Draw(Catalogue catalogue, double seconds, long request = 1)
    {
        var random = new SeededRandom(1, Monolith.Standalone.Demo.World.Draw.Request, request);
        var items = new Item[Options.Candidates];
        catalogue.Sample(ref random, seconds, null, items);
        return [.. items.Select(i => i.Number)];
    }

    private static HashSet<long> Numbers(Catalogue catalogue, double seconds)
    {
        var found = new HashSet<long>();
        for (var request = 0; request < 3000; request++)
        {
            found.UnionWith(Draw(catalogue, seconds, request));
        }

        return found;
    }
}
