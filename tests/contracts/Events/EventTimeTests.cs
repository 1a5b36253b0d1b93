using Monolith.Contracts.Events;

namespace Monolith.Contracts.Tests.Events;

/// <summary>Times that cannot be meant, and the unit that they look like.</summary>
public sealed class EventTimeTests
{
    private const long NowMs = 1_795_790_405_271; // 2026-11-27
    private const long DayMs = 86_400_000;

    [Theory]
    [InlineData(1_795_790_405, "seconds")]
    [InlineData(978_307_200, "seconds")]
    [InlineData(NowMs, "milliseconds")]
    [InlineData(978_307_200_000, "milliseconds")]
    [InlineData(1_795_790_405_271_000, "microseconds")]
    [InlineData(1_795_790_405_271_000_000, "nanoseconds")]
    [InlineData(17_957_904_052_710_000, ".NET ticks since 1970")]
    [InlineData(1_795_790_405.271, "seconds")]
    [InlineData(5, null)]
    [InlineData(-1_795_790_405, null)]
    [InlineData(double.MaxValue, null)]
    [InlineData(double.NaN, null)]
    public void The_unit_is_the_one_in_which_the_time_is_between_2001_and_a_year_from_now(double value, string? unit)
        => Assert.Equal(unit, EventTime.UnitOf(value, NowMs));

    [Theory]
    [InlineData(1_795_790_405, "1970-01-21; milliseconds since 1970, from 2001 on, are allowed. It looks like seconds.")]
    [InlineData(978_307_199_999, "2000-12-31")]
    [InlineData(1_795_790_405_271_000, "ahead of the clock; milliseconds since 1970, at most 0:05:00 ahead, are allowed. It looks like microseconds.")]
    [InlineData(1_795_790_405_271_000_000, "It looks like nanoseconds.")]
    [InlineData(1_000_000_000_000_000_000, "years ahead")]
    [InlineData(long.MaxValue, "292,")]
    [InlineData(long.MinValue, "is negative")]
    [InlineData(-1, "-1 is negative; milliseconds since 1970 are allowed.")]
    [InlineData(NowMs + 300_001, "is 0:05:00.001 ahead")]
    [InlineData(NowMs + (3 * DayMs), "is 3.0 days ahead")]
    public void A_time_that_cannot_be_meant_is_refused_with_its_unit(long timeMs, string reason)
        => Assert.Contains(reason, EventTime.Mistake(timeMs, NowMs, 300_000), StringComparison.Ordinal);

    [Theory]
    [InlineData(NowMs)]
    [InlineData(NowMs + 300_000)]
    [InlineData(978_307_200_000)]
    public void A_time_from_2001_to_the_allowed_skew_ahead_is_accepted(long timeMs) => Assert.Null(EventTime.Mistake(timeMs, NowMs, 300_000));
}
