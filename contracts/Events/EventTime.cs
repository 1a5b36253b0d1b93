using System.Globalization;

namespace Monolith.Contracts.Events;

/// <summary>
/// Which times can be meant: from 2001 on and not far ahead. A number outside is most often a time in another unit, and the
/// message names that unit. Times are Unix milliseconds, UTC.
/// </summary>
public static class EventTime
{
    /// <summary>2001-01-01: no time before it is accepted. 32-bit seconds of today lie in January 1970 when taken for milliseconds.</summary>
    public const long MinMs = 978_307_200_000;

    private const long DayMs = 86_400_000;

    // Each unit's own name, and how many milliseconds it has.
    private static readonly (string Name, double Ms)[] Units =
        [("seconds", 1_000), ("milliseconds", 1), ("microseconds", 1e-3), ("nanoseconds", 1e-6), (".NET ticks since 1970", 1e-4)];

    /// <summary>
    /// The unit in which a number is a time between 2001 and a year from now; null when there is none. The ranges of
    /// different units do not overlap.
    /// </summary>
    /// <param name="value">A number since 1970 in an unknown unit.</param>
    /// <param name="nowMs">The present.</param>
    public static string? UnitOf(double value, long nowMs)
    {
        foreach (var (name, ms) in Units)
        {
            if (value * ms >= MinMs && value * ms <= nowMs + (366.0 * DayMs))
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>
    /// What is wrong with a time in milliseconds; null when nothing is. The message has the number, the date that it would be, and
    /// the unit that it looks like.
    /// </summary>
    /// <param name="timeMs">The time.</param>
    /// <param name="nowMs">The present.</param>
    /// <param name="maxAheadMs">How far ahead of the present it may be.</param>
    /// <param name="clock">Whose clock says what the present is, for the message.</param>
    public static string? Mistake(long timeMs, long nowMs, long maxAheadMs, string clock = "the clock")
    {
        if (timeMs >= MinMs && (timeMs <= nowMs || timeMs - nowMs <= maxAheadMs))
        {
            return null;
        }

        var unit = UnitOf(timeMs, nowMs) is { } found and not "milliseconds" ? $" It looks like {found}." : string.Empty;
        return timeMs < 0 ? $"{timeMs} is negative; milliseconds since 1970 are allowed."
            : timeMs < MinMs ? $"{timeMs} is {DateOf(timeMs)}; milliseconds since 1970, from 2001 on, are allowed.{unit}"
            : $"{timeMs} is {Duration(timeMs - nowMs)} ahead of {clock}; milliseconds since 1970, at most {Duration(maxAheadMs)} ahead, are allowed.{unit}";
    }

    private static string DateOf(long timeMs)
        => DateTimeOffset.FromUnixTimeMilliseconds(timeMs).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Duration(long ms)
    {
        const double YearMs = 365.2425 * DayMs;
        return ms >= YearMs ? string.Create(CultureInfo.InvariantCulture, $"{ms / YearMs:N0} years")
            : ms >= DayMs ? string.Create(CultureInfo.InvariantCulture, $"{(double)ms / DayMs:N1} days")
            : TimeSpan.FromMilliseconds(ms).ToString("g", CultureInfo.InvariantCulture);
    }
}
