using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Tests.Model;
using Monolith.Trainer.Tests.Support;

namespace Monolith.Trainer.Tests.Worker;

public sealed class HistoryTests
{
    private static readonly ModelSpec Spec = SomeModel.Spec() with
    {
        Training = new TrainingSpec { MicroBatch = 8, PartialAfter = TimeSpan.Zero },
        Federated = new FederatedSpec { LocalSteps = 4 },
    };

    [Fact]
    public async Task Micro_batches_are_full_whatever_the_clock_says_and_rounds_have_all_their_steps()
    {
        var source = Source(groups: 100, examples: 2);
        var model = new FakeModel(Spec, 1);
        await using var trainer = new LiveTrainer(Spec, model, source);
        await trainer.Run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(25, model.Metrics.Groups.Count);
        Assert.All(model.Metrics.Groups, g => Assert.Equal([2, 2, 2, 2], g));
        Assert.Equal([4, 4, 4, 4, 4, 4, 1], model.Federation.Reports.Select(r => r.Steps));
        Assert.Equal(200, trainer.Trainer.Status.Examples);
    }

    [Fact]
    public async Task A_group_is_never_split_and_one_that_is_larger_than_a_micro_batch_goes_alone()
    {
        var source = new MemorySource(1, isHistory: true);
        foreach (var size in (int[])[3, 4, 2, 20, 1, 7, 1])
        {
            source.Append(0, SomeModel.Group(Spec, new Random(size), size));
        }

        var model = new FakeModel(Spec, 1);
        await using var trainer = new LiveTrainer(Spec, model, source);
        await trainer.Run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal([[3, 4], [2], [20], [1, 7], [1]], model.Metrics.Groups);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_ends_the_run_with_its_own_error()
    {
        var source = Source(groups: 10, examples: 1);
        source.Failure = new InvalidDataException("row 7 is torn");
        await using var trainer = new LiveTrainer(Spec, new FakeModel(Spec, 1), source);
        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => trainer.Run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal("row 7 is torn", error.Message);
    }

    [Fact]
    public async Task Parts_that_stay_away_end_the_run_after_so_many_failures()
    {
        var model = new FakeModel(Spec, 1) { Chaos = { Rate = 1 } };
        await using var trainer = new LiveTrainer(Spec, model, Source(groups: 10, examples: 1), LiveTrainer.Options(2));
        await Assert.ThrowsAsync<TimeoutException>(() => trainer.Run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_empty_history_ends_at_once()
    {
        await using var trainer = new LiveTrainer(Spec, new FakeModel(Spec, 1), new MemorySource(3, isHistory: true), LiveTrainer.Options(2));
        await trainer.Run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(0, trainer.Trainer.Status.Examples);
    }

    [Fact]
    public async Task Pushes_carry_the_summed_gradients_occurrences_and_newest_event_times_of_each_id()
    {
        var source = new MemorySource(1, isHistory: true);
        source.Append(0, Group(eventTimeMs: 5_000, "a", "b"));
        source.Append(0, Group(eventTimeMs: 9_999, "b"));
        source.Append(0, Group(eventTimeMs: 7_000, "b", "c"));
        var model = new FakeModel(Spec, 1);
        await using var trainer = new LiveTrainer(Spec, model, source);
        await trainer.Run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        var occurrences = model.Shards.SelectMany(s => s.Occurrences).ToDictionary();
        var times = model.Shards.SelectMany(s => s.EventTimes).ToDictionary();
        var gradients = model.Shards.SelectMany(s => s.Gradients).ToDictionary();
        Assert.Equal([1, 1, 3], occurrences.Values.Order());
        var (b, once) = (occurrences.MaxBy(o => o.Value).Key, occurrences.Where(o => o.Value == 1).Select(o => o.Key).ToArray());
        Assert.Equal(9u, times[b]);
        Assert.Equal([5u, 7u], once.Select(i => times[i]).Order());

        // All rows are zero and all labels too, so each example's first-order gradient is the base rate.
        Assert.Equal(3 * Spec.Tasks[0].BaseRate, gradients[b][0], 1e-6);
        Assert.All(once, i => Assert.Equal(Spec.Tasks[0].BaseRate, gradients[i][0], 1e-6));
    }

    private static ExampleGroup Group(long eventTimeMs, params string[] values)
    {
        var group = new ExampleGroup { EventTimeMs = eventTimeMs };
        group.Examples.AddRange(values.Select(v => new Example
        {
            Features = { ["f0"] = new FeatureValue { Text = v } },
            Labels = { new Label { Present = true } },
        }));
        return group;
    }

    private static MemorySource Source(int groups, int examples)
    {
        var source = new MemorySource(1, isHistory: true);
        for (var g = 0; g < groups; g++)
        {
            source.Append(0, SomeModel.Group(Spec, new Random(g), examples));
        }

        return source;
    }
}
