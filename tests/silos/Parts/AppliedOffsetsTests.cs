using CsCheck;
using Monolith.Contracts.Grains;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Tests.Parts;

public sealed class AppliedOffsetsTests
{
    // A chain with holes between offsets, as transactional logs have: spans of 0 to 5 offsets, one after another.
    private static readonly Gen<PartitionSpan[]> Chain =
        Gen.Int[0, 5].Array[1, 30].Select(lengths =>
        {
            var at = 0L;
            return lengths.Select((length, i) =>
            {
                var span = new PartitionSpan("examples/0", 1, at, at + length, 1000 + i);
                at += length;
                return span;
            }).ToArray();
        });

    [Fact]
    public void Any_order_duplication_and_overtaking_applies_each_span_once() =>
        Gen.Select(Chain, Gen.Int.Array[200, 600]).Sample((chain, picks) =>
        {
            var offsets = new AppliedOffsets();
            var covered = new List<PartitionSpan>();
            foreach (var pick in picks)
            {
                Send(chain[(int)((uint)pick % (uint)chain.Length)]);
            }

            Array.ForEach(chain, Send); // what was left out, in order
            var passed = covered.Where(s => s.Through > s.From).ToList();
            Assert.Equal(chain.Where(s => s.Through > s.From), passed);
            Assert.Equal(chain[^1].Through, offsets.Of("examples/0").AppliedThrough);

            void Send(PartitionSpan span)
            {
                var before = offsets.Of("examples/0").AppliedThrough;
                var reply = offsets.TryApply(span);
                Assert.Equal(offsets.Of("examples/0").AppliedThrough, reply.AppliedThrough);
                if (reply.Outcome == PushOutcome.Applied)
                {
                    Assert.Equal(before, span.From);
                    covered.Add(span);
                }
                else
                {
                    Assert.Equal(before, reply.AppliedThrough);
                    Assert.Equal(span.Through <= before ? PushOutcome.AlreadyApplied : PushOutcome.Gap, reply.Outcome);
                }
            }
        });

    [Fact]
    public void Going_back_to_any_snapshot_and_cutting_at_the_offset_applies_each_offset_once() =>
        Gen.Select(Chain, Gen.Int[0, 29], Gen.Int[0, 29], Gen.Int[1, 7]).Sample((chain, saveAt, loseAt, step) =>
        {
            var offsets = new AppliedOffsets();
            var learned = new List<long>();
            var saved = (Offsets: offsets.All, offsets.Stream, Learned: new List<long>());
            for (var i = 0; i < Math.Min(loseAt, chain.Length); i++)
            {
                if (i == saveAt)
                {
                    saved = (offsets.All, offsets.Stream, [.. learned]);
                }

                Learn(chain[i]);
            }

            // Lost: the part stands where its snapshot did, and the worker continues from there in spans of its own.
            offsets = AppliedOffsets.Restore(saved.Offsets, saved.Stream);
            learned = saved.Learned;
            var end = chain[^1].Through;
            for (var at = offsets.Of("examples/0").AppliedThrough; at < end; at += step)
            {
                Learn(new PartitionSpan("examples/0", 2, at, Math.Min(at + step, end), 0));
            }

            Assert.Equal(Enumerable.Range(0, (int)end).Select(i => (long)i), learned);

            void Learn(PartitionSpan span)
            {
                Assert.Equal(PushOutcome.Applied, offsets.TryApply(span).Outcome);
                for (var offset = span.From; offset < span.Through; offset++)
                {
                    learned.Add(offset);
                }
            }
        });

    [Fact]
    public void A_span_that_straddles_the_offset_is_a_gap()
    {
        var offsets = new AppliedOffsets();
        offsets.TryApply(new("p/0", 1, 0, 10, 0));
        Assert.Equal(new PushReply(PushOutcome.Gap, 10), offsets.TryApply(new("p/0", 1, 5, 15, 0)));
        Assert.Equal(new PushReply(PushOutcome.Gap, 10), offsets.TryApply(new("p/0", 1, 11, 11, 0)));
    }

    [Fact]
    public void A_claim_is_granted_only_above_every_epoch_seen_and_tells_where_the_part_stands()
    {
        var offsets = new AppliedOffsets();
        Assert.Equal(new ClaimReply(false, 0, 0), offsets.Claim(new("p/0", 0)));
        Assert.Equal(new ClaimReply(true, 3, 0), offsets.Claim(new("p/0", 3)));
        Assert.Equal(new ClaimReply(false, 3, 0), offsets.Claim(new("p/0", 3)));
        offsets.TryApply(new("p/0", 3, 0, 8, 0));
        Assert.Equal(new ClaimReply(false, 3, 8), offsets.Claim(new("p/0", 2)));
        Assert.Equal(new ClaimReply(true, 4, 8), offsets.Claim(new("p/0", 4)));
        Assert.Equal(new ClaimReply(false, 0, 0), offsets.Claim(new("p/1", 0)));
    }

    [Fact]
    public void The_owner_before_is_fenced_whatever_it_sends()
    {
        var offsets = new AppliedOffsets();
        offsets.Claim(new("p/0", 1));
        offsets.TryApply(new("p/0", 1, 0, 8, 0));
        offsets.Claim(new("p/0", 2));
        Assert.Equal(PushOutcome.Fenced, offsets.TryApply(new("p/0", 1, 8, 9, 0)).Outcome);
        Assert.Equal(PushOutcome.Fenced, offsets.TryApply(new("p/0", 1, 0, 8, 0)).Outcome);
        Assert.Equal(new PushReply(PushOutcome.Applied, 9), offsets.TryApply(new("p/0", 2, 8, 9, 0)));
    }

    [Fact]
    public void A_part_that_forgot_a_claim_learns_it_from_the_next_span()
    {
        var offsets = new AppliedOffsets();
        offsets.Claim(new("p/0", 1));
        Assert.Equal(PushOutcome.Applied, offsets.TryApply(new("p/0", 5, 0, 1, 0)).Outcome);
        Assert.Equal(PushOutcome.Fenced, offsets.TryApply(new("p/0", 1, 1, 2, 0)).Outcome);
    }

    [Fact]
    public void The_watermark_is_that_of_the_slowest_partition_of_the_current_stream()
    {
        var offsets = new AppliedOffsets();
        Assert.Equal(0, offsets.WatermarkMs);
        offsets.TryApply(new("replay:a/b.csv/0", 1, 0, 9, 5));
        Assert.Equal(5, offsets.WatermarkMs);
        offsets.Claim(new("examples/0", 1));
        Assert.Equal(0, offsets.WatermarkMs);
        offsets.TryApply(new("examples/0", 1, 0, 4, 200));
        offsets.TryApply(new("examples/1", 1, 0, 4, 100));
        Assert.Equal(100, offsets.WatermarkMs);
        offsets.TryApply(new("examples/1", 1, 4, 4, 300)); // idle: only the clock moves
        offsets.TryApply(new("examples/0", 1, 4, 5, 150)); // and it never goes back
        Assert.Equal(200, offsets.WatermarkMs);
        Assert.Equal(200, AppliedOffsets.Restore(offsets.All, offsets.Stream).WatermarkMs);
    }

    [Theory]
    [InlineData("", 1, 0, 1)]
    [InlineData("p/0", -1, 0, 1)]
    [InlineData("p/0", 1, -1, 1)]
    [InlineData("p/0", 1, 2, 1)]
    public void An_impossible_span_is_refused_with_a_reason(string partition, long epoch, long from, long through)
    {
        var error = Assert.Throws<ArgumentException>(
            () => new AppliedOffsets().TryApply(new(partition, epoch, from, through, 0)));
        Assert.Contains("impossible", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_snapshot_that_names_a_partition_twice_is_refused() =>
        Assert.Throws<InvalidDataException>(
            () => AppliedOffsets.Restore([new("p/0", 1, 2, 3), new("p/0", 1, 2, 3)], "p"));
}
