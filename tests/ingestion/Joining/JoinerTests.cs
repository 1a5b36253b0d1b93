using System.Text;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Events.Embedded;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinerTests : IAsyncLifetime
{
    private readonly Fixture _f = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _f.DisposeAsync();

    [Fact]
    public async Task A_click_is_an_example_at_once_and_the_rest_of_the_list_when_the_window_closes()
    {
        using var joiner = await _f.StartJoinerAsync();
        var shown = _f.NowMs;
        await _f.Log.AppendAsync([_f.Record(Fixture.Impression("r1", shown, "a", "b", "c"))], Token);
        await _f.Log.AppendAsync([_f.Record(Fixture.Action("r1", "b", shown + 900))], Token);
        var positive = Assert.Single(await _f.GroupsAsync(1));
        Assert.Equal(("r1", shown, _f.NowMs), (positive.RequestId, positive.EventTimeMs, positive.EmittedTimeMs));
        Assert.Equal("ur1", positive.Shared["user_id"].Text);
        Assert.Equal(12, positive.Shared["city"].Integer);
        var clicked = Assert.Single(positive.Examples);
        Assert.Equal(("b", 0.25f), (clicked.ItemId, clicked.ServedScore));
        Assert.Equal(["new", "b"], clicked.Features["tags"].List.Values);
        Assert.Equal(new Label { Present = true, Value = 1 }, Assert.Single(clicked.Labels));

        // Nothing more comes: the clock, less the allowed skew, closes the window.
        _f.Time.Advance(TimeSpan.FromSeconds(12.2));
        var rest = (await _f.GroupsAsync(2)).Single(g => g.Examples.Count != 1);
        Assert.Equal(["a", "c"], rest.Examples.Select(e => e.ItemId));
        Assert.All(rest.Examples, e => Assert.Equal(new Label { Present = true, Value = 0 }, Assert.Single(e.Labels)));
        Assert.Equal(_f.NowMs, rest.EmittedTimeMs);
        var status = await StoppedAsync(joiner);
        Assert.Equal((1, 2, 0), (status.Counts.Positives, status.Counts.Negatives, status.PendingItems));
    }

    [Fact]
    public async Task Groups_are_keyed_by_the_models_partition_feature_and_lie_on_its_partition()
    {
        using var joiner = await _f.StartJoinerAsync();
        await _f.Log.AppendAsync(
            [.. Enumerable.Range(0, 20).Select(i => _f.Record(Fixture.Impression($"r{i}", _f.NowMs, "a")))],
            Token);
        _f.Time.Advance(TimeSpan.FromSeconds(13));
        var records = await _f.ReadAsync(_f.Topics.Examples, 20);
        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => $"ur{i}").Order(StringComparer.Ordinal),
            records.Select(r => Encoding.UTF8.GetString(r.Key.Span)).Order(StringComparer.Ordinal));
        await StoppedAsync(joiner);
    }

    [Fact]
    public async Task An_early_action_waits_for_its_impression_and_one_without_goes_to_the_orphans()
    {
        using var joiner = await _f.StartJoinerAsync();
        await _f.Log.AppendAsync([_f.Record(Fixture.Action("r1", "a", _f.NowMs)), _f.Record(Fixture.Action("r2", "a", _f.NowMs))], Token);
        await Fixture.UntilAsync(async () => (await joiner.StatusAsync(Token)).WaitingActions == 2);
        await _f.Log.AppendAsync([_f.Record(Fixture.Impression("r1", _f.NowMs - 10, "a"))], Token);
        Assert.Equal("r1", Assert.Single(await _f.GroupsAsync(1)).RequestId);
        _f.Time.Advance(TimeSpan.FromSeconds(13));
        var orphan = Assert.Single(await _f.ReadAsync(_f.Topics.Orphans, 1));
        Assert.Equal("r2", Contracts.Events.Action.Parser.ParseFrom(orphan.Value.Span).RequestId);
        Assert.Equal(1, (await StoppedAsync(joiner)).Counts.Orphans);
    }

    [Fact]
    public async Task A_click_after_its_negative_is_dropped_and_counted()
    {
        using var joiner = await _f.StartJoinerAsync();
        var shown = _f.NowMs;
        await _f.Log.AppendAsync([_f.Record(Fixture.Impression("r1", shown, "a"))], Token);
        _f.Time.Advance(TimeSpan.FromSeconds(13));
        await _f.GroupsAsync(1);
        await _f.Log.AppendAsync([_f.Record(Fixture.Action("r1", "a", shown + 100))], Token);
        await Fixture.UntilAsync(async () => (await joiner.StatusAsync(Token)).Counts.Late == 1);
        Assert.Single(await _f.GroupsAsync(1));
        await StoppedAsync(joiner);
    }

    [Fact]
    public async Task Canaries_come_out_at_once_without_examples()
    {
        using var joiner = await _f.StartJoinerAsync();
        await _f.Log.AppendAsync(
            [_f.Record(Fixture.Impression("__canary/7", _f.NowMs, "a")), _f.Record(Fixture.Action("__canary/7", string.Empty, _f.NowMs - 5, string.Empty))],
            Token);
        var canary = Assert.Single(await _f.GroupsAsync(1));
        Assert.Equal((_f.NowMs - 5, 0), (canary.CanarySentMs, canary.Examples.Count));
        _f.Time.Advance(TimeSpan.FromSeconds(13));
        Assert.Equal(0, (await StoppedAsync(joiner)).PendingItems);
        Assert.Single(await _f.GroupsAsync(1));
    }

    [Fact]
    public async Task What_cannot_be_used_goes_to_the_dead_letters_with_its_reason_and_origin()
    {
        using var joiner = await _f.StartJoinerAsync();
        var key = Encoding.UTF8.GetBytes("r1");
        var headers = new[] { new EventHeader("content-type", "application/json"u8.ToArray()) };
        await _f.Log.AppendAsync(
            [
                new NewRecord(_f.Topics.Impressions, 3, key, new byte[] { 0xff, 0xff, 1 }),
                _f.Record(Fixture.Action("r1", "a", _f.NowMs + 60_000)),
                new NewRecord(_f.Topics.Actions, NewRecord.ByKey, key, Encoding.UTF8.GetBytes("""{"request_id":"r1","item_id":[1]}""")) { Headers = headers },
            ],
            Token);
        var dead = await _f.ReadAsync(_f.Topics.DeadLetters, 3);
        var reasons = dead.ConvertAll(r => Header(r, "monolith-reason"));
        Assert.Contains(reasons, r => r.Contains("no impression", StringComparison.Ordinal));
        Assert.Contains(reasons, r => r.Contains("ahead of the log's clock", StringComparison.Ordinal));
        Assert.Contains(reasons, r => r.Contains("$.item_id", StringComparison.Ordinal));
        var damaged = dead.Single(r => r.Value.Length == 3);
        Assert.Equal(("shop.impressions", "3", "0"), (Header(damaged, "monolith-topic"), Header(damaged, "monolith-partition"), Header(damaged, "monolith-offset")));
        Assert.Equal(3, (await StoppedAsync(joiner)).Counts.DeadLetters);
    }

    [Fact]
    public async Task Json_records_are_joined_like_protobuf_and_records_on_the_wrong_partition_are_moved()
    {
        using var joiner = await _f.StartJoinerAsync();
        var headers = new[] { new EventHeader("content-type", "application/json; charset=utf-8"u8.ToArray()) };
        var wrong = (Partitioner.Of("r1", 4) + 1) % 4;
        var json = $$$"""{"request_id":"r1","event_time_ms":{{{_f.NowMs}}},"shared":{"user_id":"u9"},"items":[{"item_id":"a","features":{"price":1.5}}],"new_field":{"x":[1]}}""";
        await _f.Log.AppendAsync(
            [
                new NewRecord(_f.Topics.Impressions, wrong, default, Encoding.UTF8.GetBytes(json)) { Headers = headers },
                new NewRecord(_f.Topics.Actions, NewRecord.ByKey, "r1"u8.ToArray(), Encoding.UTF8.GetBytes("""{"request_id":"r1","item_id":"a","kind":"click"}""")) { Headers = headers },
            ],
            Token);
        var group = Assert.Single(await _f.GroupsAsync(1));
        Assert.Equal(1.5, Assert.Single(group.Examples).Features["price"].Number);
        Assert.Equal(1, (await StoppedAsync(joiner)).Counts.Rerouted);
    }

    [Fact]
    public async Task Pending_requests_and_waiting_actions_survive_a_restart()
    {
        var shown = _f.NowMs;
        using (var first = await _f.StartJoinerAsync())
        {
            await _f.Log.AppendAsync(
                [_f.Record(Fixture.Impression("r1", shown, "a", "b")), _f.Record(Fixture.Action("r1", "b", shown)), _f.Record(Fixture.Action("r2", "x", shown))],
                Token);
            await _f.GroupsAsync(1);
            await Fixture.UntilAsync(async () => (await first.StatusAsync(Token)).WaitingActions == 1);
            await StoppedAsync(first);
        }

        await _f.ReopenAsync();
        using var second = await _f.StartJoinerAsync();
        await _f.Log.AppendAsync([_f.Record(Fixture.Action("r1", "b", shown)), _f.Record(Fixture.Impression("r2", shown, "x", "y"))], Token);
        Assert.Contains(await _f.GroupsAsync(2), g => g.RequestId == "r2" && g.Examples.Single().ItemId == "x");
        _f.Time.Advance(TimeSpan.FromSeconds(13));
        var groups = await _f.GroupsAsync(4);
        Assert.Equal(["r1/a", "r1/b", "r2/x", "r2/y"], groups.SelectMany(g => g.Examples.Select(e => $"{g.RequestId}/{e.ItemId}")).Order());
        Assert.Equal(1, (await StoppedAsync(second)).Counts.Duplicates);
    }

    [Fact]
    public async Task What_is_pending_outlives_the_logs_retention()
    {
        var spec = Fixture.Spec with { Join = Fixture.Spec.Join with { Window = TimeSpan.FromDays(9) } };
        string[] requests = [.. Enumerable.Range(0, 100).Select(i => $"r{i}").Where(r => Partitioner.Of(r, 4) == 0).Take(3)];
        var shown = _f.NowMs;
        using (var first = await _f.StartJoinerAsync(spec))
        {
            await _f.Log.AppendAsync([_f.Record(Fixture.Impression(requests[0], shown, "a")), _f.Record(Fixture.Action(requests[1], "b", shown))], Token);
            await Fixture.UntilAsync(async () => await first.StatusAsync(Token) is { PendingItems: 1, WaitingActions: 1 });
            _f.Time.Advance(TimeSpan.FromDays(8));

            // The newest batch of a partition always stays: these are it.
            await _f.Log.AppendAsync([_f.Record(Fixture.Impression(requests[2], _f.NowMs, "c")), _f.Record(Fixture.Action(requests[2], "c", _f.NowMs))], Token);
            await _f.GroupsAsync(1);
            await StoppedAsync(first);
        }

        ((EmbeddedEventLog)_f.Log).ApplyRetention();
        await _f.ReopenAsync();
        using var second = await _f.StartJoinerAsync(spec);
        await _f.Log.AppendAsync([_f.Record(Fixture.Impression(requests[1], shown, "b"))], Token);
        _f.Time.Advance(TimeSpan.FromDays(1.1));
        var groups = await _f.GroupsAsync(3);
        Assert.Equal(
            [(requests[0], 0f), (requests[1], 1f)],
            groups.Where(g => g.RequestId != requests[2]).Select(g => (g.RequestId, g.Examples.Single().Labels.Single().Value)).Order());
        await StoppedAsync(second);
    }

    [Fact]
    public async Task Two_joiners_share_the_partitions_and_lose_nothing_when_one_leaves()
    {
        using var first = await _f.StartJoinerAsync();
        using var second = await _f.StartJoinerAsync(options: new JoinerOptions { Name = "1" });
        for (var i = 0; i < 40; i++)
        {
            await _f.Log.AppendAsync([_f.Record(Fixture.Impression($"r{i}", _f.NowMs, "a", "b")), _f.Record(Fixture.Action($"r{i}", "a", _f.NowMs))], Token);
        }

        await Fixture.UntilAsync(async () => (await first.StatusAsync(Token)).Partitions == 2 && (await second.StatusAsync(Token)).Partitions == 2);
        await StoppedAsync(first);
        _f.Time.Advance(TimeSpan.FromSeconds(13));
        await Fixture.UntilAsync(async () => (await second.StatusAsync(Token)).Partitions == 4);
        var groups = await _f.GroupsAsync(80);
        var expected = Enumerable.Range(0, 40).SelectMany(i => new[] { $"r{i}/a", $"r{i}/b" }).Order(StringComparer.Ordinal);
        Assert.Equal(expected, groups.SelectMany(g => g.Examples.Select(e => $"{g.RequestId}/{e.ItemId}")).Order(StringComparer.Ordinal));
        await StoppedAsync(second);
    }

    private static string Header(EventRecord record, string name)
        => Encoding.UTF8.GetString(record.Headers!.Single(h => h.Name == name).Value.Span);

    private static async Task<JoinerStatus> StoppedAsync(Joiner joiner)
    {
        var status = await joiner.StatusAsync(Token);
        await joiner.StopAsync(Token);

        // Examples can be read a moment before their transaction has been counted.
        return status with { Counts = (await joiner.StatusAsync(Token)).Counts };
    }
}
