using Google.Protobuf;
using Monolith.Contracts.Events;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

/// <summary>How event time moves: with what was read, with the clock when nothing comes, and no further than output has room.</summary>
public sealed class JoinPartitionTimeTests : IDisposable
{
    private const long StartMs = 1_700_000_000_000;
    private const long SkewMs = 2_000;
    private static readonly JoinRules Rules = new(Fixture.Spec, 1);
    private readonly JoinPartition _partition = new(Rules, 0, new ImpressionStore(new JoinMemory(long.MaxValue)));
    private readonly JoinOutput _output = new();
    private readonly List<ExampleGroup> _groups = [];

    public void Dispose() => _partition.Dispose();

    [Theory]
    [InlineData(false, false, 300)]
    [InlineData(true, false, 700)]
    [InlineData(false, true, 300)]
    [InlineData(true, true, 700)]
    public void It_moves_with_the_input_that_has_more_and_with_the_slower_of_two(bool shownAtEnd, bool doneAtEnd, long expectedMs)
    {
        Apply(StartMs + 1000, [Shown("r1", 300)], [Done("r1", 700)], shownAtEnd, doneAtEnd);
        Assert.Equal(StartMs + expectedMs, _partition.State.WatermarkMs);
    }

    [Theory]
    [InlineData(true, false, 300)]
    [InlineData(false, true, 700)]
    [InlineData(true, true, 700)]
    public void The_same_when_impressions_are_ahead(bool shownAtEnd, bool doneAtEnd, long expectedMs)
    {
        Apply(StartMs + 1000, [Shown("r1", 700)], [Done("r1", 300)], shownAtEnd, doneAtEnd);
        Assert.Equal(StartMs + expectedMs, _partition.State.WatermarkMs);
    }

    [Fact]
    public void When_nothing_comes_any_more_it_moves_with_the_clock_less_the_skew_and_never_back()
    {
        Apply(StartMs + 1000, [Shown("r1", 300)], [Done("r1", 700)]);
        Apply(StartMs + 700 + SkewMs, [], []);
        Assert.Equal(StartMs + 700, _partition.State.WatermarkMs);
        Apply(StartMs + 701 + SkewMs, [], []);
        Assert.Equal(StartMs + 701, _partition.State.WatermarkMs);
        Apply(StartMs, [], []);
        Assert.Equal(StartMs + 701, _partition.State.WatermarkMs);
    }

    [Fact]
    public void A_sender_whose_clock_is_ahead_moves_it_to_the_logs_clock_only()
    {
        Apply(StartMs + 100, [Shown("r1", 1500)], []);
        Assert.Equal(1, _output.Counts.Requests);
        Assert.Equal(StartMs + 100, _partition.State.WatermarkMs);
    }

    [Fact]
    public void It_stops_at_the_end_of_a_bucket_when_the_output_is_full_and_goes_on_in_the_next_transaction()
    {
        // Two requests a bucket, so that a bound inside one would show.
        const int Requests = 40;
        var shown = Enumerable.Range(0, Requests).Select(i => Shown($"r{i}", i / 2 * Rules.BucketMs)).ToArray();
        Apply(StartMs, shown, []);
        var nowMs = StartMs + Rules.WindowMs + SkewMs + 5_000;
        var transactions = 0;
        for (var left = Requests; left > 0; transactions++)
        {
            Assert.True(transactions <= Requests);
            _groups.Clear();
            Apply(nowMs, [], [], maxOutputBytes: 1);
            left -= _groups.Count;

            // Everything up to the watermark was said, and nothing after it.
            Assert.Equal(2, _groups.Count);
            var closedMs = _groups[0].EventTimeMs + Rules.WindowMs;
            Assert.Equal(closedMs, _groups[1].EventTimeMs + Rules.WindowMs);
            Assert.Equal(left > 0, _partition.HasMore);
            Assert.Equal(left > 0 ? Rules.BucketAfter(closedMs) * Rules.BucketMs : nowMs - SkewMs, _partition.State.WatermarkMs);
        }

        Assert.Equal(Requests / 2, transactions);
        Assert.Equal(0, _partition.State.PendingItems);
    }

    private static Impression Shown(string request, long afterMs) => Fixture.Impression(request, StartMs + afterMs, "a");

    private static Contracts.Events.Action Done(string request, long afterMs) => Fixture.Action(request, "z", StartMs + afterMs);

    private void Apply(
        long nowMs,
        Impression[] shown,
        Contracts.Events.Action[] done,
        bool shownAtEnd = true,
        bool doneAtEnd = true,
        long maxOutputBytes = long.MaxValue)
    {
        _output.Begin(nowMs);
        _partition.Apply(
            Batch(Rules.Topics.Impressions, shown, _partition.Impressions.Next, nowMs, shownAtEnd),
            Batch(Rules.Topics.Actions, done, _partition.Actions.Next, nowMs, doneAtEnd),
            nowMs,
            maxOutputBytes,
            _output,
            []);
        _groups.AddRange(_output.Records.Where(r => r.Topic == Rules.Topics.Examples).Select(r => ExampleGroup.Parser.ParseFrom(r.Value.Span)));
    }

    private static PartitionBatch Batch(string topic, IEnumerable<IMessage> events, long from, long nowMs, bool atEnd)
    {
        var records = events.Select((e, i) => new EventRecord(from + i, nowMs, default, e.ToByteArray())).ToArray();
        return new PartitionBatch(new TopicPartition(topic, 0), records, from + records.Length, atEnd);
    }
}
