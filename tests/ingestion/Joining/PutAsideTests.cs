using System.Text;
using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>What becomes of single records: put aside with the reason, moved, or taken.</summary>
public sealed class PutAsideTests : IDisposable
{
    private const long NowMs = 1_700_000_000_000;
    private static readonly JoinRules Rules = new(Fixture.Spec, 4);
    private static readonly int Home = Partitioner.Of("r1", 4);
    private readonly PartitionJoiner _joiner = new(Rules, Home, new ImpressionStore(new JoinMemory(long.MaxValue)));
    private readonly JoinOutput _output = new();

    public PutAsideTests() => _output.Begin(NowMs);

    public void Dispose() => _joiner.Dispose();

    [Fact]
    public void A_record_keeps_its_key_value_and_headers_and_gains_reason_topic_partition_and_offset()
    {
        var value = "nonsense"u8.ToArray();
        var headers = new[] { new EventHeader("content-type", "application/json"u8.ToArray()), new EventHeader("trace", "7"u8.ToArray()) };
        Assert.Null(_joiner.Impression(new EventRecord(41, NowMs, "key"u8.ToArray(), value) { Headers = headers }, _output));
        var aside = Assert.Single(_output.Records);
        Assert.Equal(Rules.Topics.DeadLetters, aside.Topic);
        Assert.Equal(("key", "nonsense"), (Encoding.UTF8.GetString(aside.Key.Span), Encoding.UTF8.GetString(aside.Value.Span)));
        Assert.Equal(
            ["content-type", "trace", AsideHeaders.Reason, AsideHeaders.Topic, AsideHeaders.Partition, AsideHeaders.Offset], aside.Headers!.Select(h => h.Name));
        Assert.Equal(
            ["application/json", "7", Rules.Topics.Impressions, $"{Home}", "41"],
            aside.Headers!.Where(h => h.Name != AsideHeaders.Reason).Select(h => Encoding.UTF8.GetString(h.Value.Span)));
        Assert.Contains("The JSON is broken", Reason(aside), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/csv", "r1,a,click", "'text/csv' is not known")]
    [InlineData("application/json", """[{"request_id":"r1","item_id":"a","kind":"click"},{"request_id":"r1","item_id":"b","kind":"click"}]""", "an array of several")]
    [InlineData("application/json", "[]", "an empty array")]
    [InlineData("application/json", """{"request_id":"r1","kind":"click"}""", "item_id is missing.")]
    public void A_record_that_is_not_one_event_is_a_dead_letter(string contentType, string value, string reason)
    {
        var headers = new[] { new EventHeader("Content-Type", Encoding.UTF8.GetBytes(contentType)) };
        Assert.Null(_joiner.Action(new EventRecord(0, NowMs, default, Encoding.UTF8.GetBytes(value)) { Headers = headers }, _output));
        Assert.Contains(reason, Reason(Assert.Single(_output.Records)), StringComparison.Ordinal);
        Assert.Equal((1, 0), (_output.Counts.DeadLetters, _output.Counts.Actions));
    }

    [Fact]
    public void An_event_just_as_far_ahead_as_allowed_is_taken_and_one_further_is_a_dead_letter()
    {
        Assert.Equal(NowMs + 2000, _joiner.Impression(Record(Fixture.Impression("r1", NowMs + 2000, "a")), _output));
        Assert.Equal(NowMs + 2000, _joiner.Action(Record(Fixture.Action("r1", "a", NowMs + 2000)), _output));
        Assert.Equal((1, 1, 0), (_output.Counts.Requests, _output.Counts.Matched, _output.Counts.DeadLetters));
        Assert.Null(_joiner.Impression(Record(Fixture.Impression("r1", NowMs + 2001, "a")), _output));
        Assert.Null(_joiner.Action(Record(Fixture.Action("r1", "a", NowMs + 2001)), _output));
        Assert.Equal((1, 1, 2), (_output.Counts.Impressions, _output.Counts.Actions, _output.Counts.DeadLetters));
    }

    [Fact]
    public void An_event_without_a_time_happened_when_the_log_took_it()
    {
        Assert.Equal(NowMs, _joiner.Impression(Record(Fixture.Impression("r1", 0, "a")), _output));
        Assert.Equal(NowMs, _joiner.Action(Record(Fixture.Action("r1", "a", 0)), _output));
    }

    [Fact]
    public void Impressions_and_actions_of_another_partition_go_there_as_they_came_and_are_counted()
    {
        var other = Enumerable.Range(0, 100).Select(i => $"x{i}").First(r => Partitioner.Of(r, 4) != Home);
        Assert.Null(_joiner.Impression(Record(Fixture.Impression(other, NowMs, "a")), _output));
        Assert.Null(_joiner.Action(Record(Fixture.Action(other, "a", NowMs)), _output));
        Assert.Equal([Rules.Topics.Impressions, Rules.Topics.Actions], _output.Records.Select(r => r.Topic));
        Assert.All(_output.Records, r => Assert.Equal((other, NewRecord.ByKey), (Encoding.UTF8.GetString(r.Key.Span), r.Partition)));
        Assert.Equal(Fixture.Action(other, "a", NowMs), Contracts.Events.Action.Parser.ParseFrom(_output.Records[1].Value.Span));
        Assert.Equal((2, 0, 0), (_output.Counts.Rerouted, _output.Counts.Impressions, _output.Counts.Actions));
    }

    [Fact]
    public void Examples_of_a_request_without_the_partition_feature_are_keyed_by_the_request()
    {
        var impression = Fixture.Impression("r1", NowMs, "a");
        impression.Shared.Remove("user_id");
        _joiner.Impression(Record(impression), _output);
        _joiner.Action(Record(Fixture.Action("r1", "a", NowMs)), _output);
        Assert.Equal("r1", Encoding.UTF8.GetString(Assert.Single(_output.Records).Key.Span));
    }

    [Fact]
    public void An_orphan_says_where_the_action_lay()
    {
        _joiner.Impression(Record(Fixture.Impression("r1", NowMs, "a")), _output);
        _joiner.Action(Record(Fixture.Action("r1", "z", NowMs), 17), _output);
        var orphan = Assert.Single(_output.Records);
        Assert.Equal(Rules.Topics.Orphans, orphan.Topic);
        Assert.Equal("17", Encoding.UTF8.GetString(orphan.Headers!.Single(h => h.Name == AsideHeaders.Offset).Value.Span));
        Assert.Contains("did not show the item", Reason(orphan), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"request_id":"r1","shared":{"user_id":"\ud800"},"items":[{"item_id":"a"}]}""", "$.shared.user_id: a text is not Unicode")]
    [InlineData("""{"request_id":"r1\ud800","items":[{"item_id":"a"}]}""", "$.request_id: expected a text in valid UTF-8")]
    [InlineData("""{"request_id":"r1","items":[{"item_id":"a","\ud800":1}]}""", "$.items[0]: expected a text in valid UTF-8")]
    [InlineData("""{"request_id":"r1","event_time_ms":1700000000000000,"items":[{"item_id":"a"}]}""", "It looks like microseconds.")]
    [InlineData("""{"request_id":"r1","event_time_ms":1700000000,"items":[{"item_id":"a"}]}""", "It looks like seconds.")]
    [InlineData("""{"request_id":"r1","event_time_ms":9223372036854775807,"items":[{"item_id":"a"}]}""", "ahead of the log's clock")]
    [InlineData("""{"request_id":"r1","event_time_ms":-5,"items":[{"item_id":"a"}]}""", "which is negative")]
    [InlineData("""{"request_id":"r1","items":[{"item_id":"a","score":1e39}]}""", "items[0].score: 'Infinity' is not allowed")]
    [InlineData("""{"request_id":"r1","shared":{"user_id":["a","b"]},"items":[{"item_id":"a"}]}""", "shared.user_id: feature 'user': 'a list' is not allowed")]
    public void An_impression_that_cannot_be_used_is_a_dead_letter_with_the_reason(string json, string reason)
    {
        var record = new EventRecord(3, NowMs, "k"u8.ToArray(), Encoding.UTF8.GetBytes(json)) { Headers = [new EventHeader("content-type", "application/json"u8.ToArray())] };
        Assert.Null(_joiner.Impression(record, _output));
        Assert.Contains(reason, Reason(Assert.Single(_output.Records)), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_a_dead_letter()
    {
        var json = "{\"request_id\":\"r1\",\"shared\":{\"user_id\":\"M\u00fcnchen\"},\"items\":[{\"item_id\":\"a\"}]}";
        var record = new EventRecord(3, NowMs, default, Encoding.Latin1.GetBytes(json)) { Headers = [new EventHeader("content-type", "application/json"u8.ToArray())] };
        Assert.Null(_joiner.Impression(record, _output));
        Assert.Contains("not UTF-8", Reason(Assert.Single(_output.Records)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_negative_time_in_protobuf_is_a_dead_letter_and_not_the_time_of_the_log()
    {
        Assert.Null(_joiner.Impression(Record(Fixture.Impression("r1", -1, "a")), _output));
        Assert.Null(_joiner.Action(Record(Fixture.Action("r1", "a", long.MinValue)), _output));
        Assert.All(_output.Records, r => Assert.Contains("is negative", Reason(r), StringComparison.Ordinal));
    }

    [Fact]
    public void A_record_too_large_to_be_set_aside_is_cut_with_a_note_of_its_length_and_hash()
    {
        var output = new JoinOutput { MaxRecordBytes = 100_000 };
        output.Begin(NowMs);
        var value = new byte[100_000];
        var record = new EventRecord(5, NowMs, new byte[50_000], value) { Headers = [new EventHeader("trace", new byte[60_000])] };
        Assert.Null(_joiner.Action(record, output));
        var aside = Assert.Single(output.Records);
        Assert.True(AsideRecord.SizeOf(aside) <= 100_000);
        Assert.True(aside.Value.Length > 90_000);
        var note = Encoding.UTF8.GetString(aside.Headers!.Single(h => h.Name == AsideHeaders.Cut).Value.Span);
        Assert.Contains("100000 bytes", note, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(value)), note, StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_larger_than_what_is_made_of_it_may_be_is_a_dead_letter()
    {
        using var joiner = new PartitionJoiner(new JoinRules(Fixture.Spec, 4, 50_000), Home, new ImpressionStore(new JoinMemory(long.MaxValue)));
        var output = new JoinOutput { MaxRecordBytes = 50_000 };
        output.Begin(NowMs);
        Assert.Null(joiner.Impression(Record(Fixture.Impression("r1", NowMs, [.. Enumerable.Range(0, 1500).Select(i => $"{i}")])), output));
        Assert.Contains("the event log takes at most 41,808", Reason(Assert.Single(output.Records)), StringComparison.Ordinal);
    }

    [Fact]
    public void Examples_of_a_list_that_is_larger_than_a_record_are_several_groups_that_each_fit()
    {
        // Accepted with 42 kB, and then the log's limit was lowered.
        using var joiner = new PartitionJoiner(new JoinRules(Fixture.Spec, 4, 50_000), Home, new ImpressionStore(new JoinMemory(long.MaxValue)));
        var output = new JoinOutput { MaxRecordBytes = 10_000 };
        output.Begin(NowMs);
        string[] items = [.. Enumerable.Range(0, 1000).Select(i => $"{i}")];
        joiner.Impression(Record(Fixture.Impression("r1", NowMs, items)), output);
        joiner.Advance(NowMs + 60_000, output);
        Assert.All(output.Records, r => Assert.True(AsideRecord.SizeOf(r) <= 10_000));
        var groups = output.Records.ConvertAll(r => ExampleGroup.Parser.ParseFrom(r.Value.Span));
        Assert.True(groups.Count > 3);
        Assert.Equal(items, groups.SelectMany(g => g.Examples).Select(e => e.ItemId));
        Assert.All(groups, g => Assert.Equal(("r1", "ur1"), (g.RequestId, g.Shared["user_id"].Text)));
    }

    [Fact]
    public void A_click_on_a_long_list_takes_the_memory_of_one_example()
    {
        string[] items = [.. Enumerable.Range(0, 5000).Select(i => $"{i}")];
        _joiner.Impression(Record(Fixture.Impression("r1", NowMs, items)), _output);
        _joiner.Action(Record(Fixture.Action("r1", items[0], NowMs)), _output);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 1; i < 1001; i++)
        {
            _joiner.Action(Record(Fixture.Action("r1", items[i], NowMs)), _output);
        }

        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4_000_000);
        Assert.Equal(1001, _output.Counts.Matched);
    }

    private static EventRecord Record(IMessage message, long offset = 0) => new(offset, NowMs, default, message.ToByteArray());

    private static string Reason(NewRecord record) => Encoding.UTF8.GetString(record.Headers!.Single(h => h.Name == AsideHeaders.Reason).Value.Span);
}
