using System.Globalization;

namespace Monolith.Bench.Table;

/// <summary>How much of some memory really lies on huge pages: asking for them is not having them.</summary>
internal static class HugePages
{
    private const string Maps = "/proc/self/smaps";

    /// <summary>
    /// Share of an address range's resident memory that lies on huge pages; null where the system does not say.
    /// </summary>
    public static unsafe double? Share(byte* start, long bytes) =>
        Read((ulong)start, (ulong)start + (ulong)bytes) is ( > 0 and var all, var huge) ? (double)huge / all : null;

    /// <summary>
    /// Share of the memory that the process takes while something is done; null where the system does not say.
    /// </summary>
    public static double? ShareTakenBy(Action work)
    {
        var before = Read(0, ulong.MaxValue);
        work();
        var after = Read(0, ulong.MaxValue);
        return after.All > before.All ? Math.Min(1, (double)(after.Huge - before.Huge) / (after.All - before.All)) : null;
    }

    // Kilobytes of anonymous memory, and of those the ones on huge pages.
    private static (long All, long Huge) Read(ulong from, ulong to)
    {
        if (!File.Exists(Maps))
        {
            return default;
        }

        long anonymous = 0, huge = 0;
        var overlaps = false;
        foreach (var line in File.ReadLines(Maps))
        {
            var fields = line.Split(' ', 2);
            if (fields[0].Split('-') is [var low, var high]
                && ulong.TryParse(low, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var begins)
                && ulong.TryParse(high, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var ends))
            {
                overlaps = begins < to && ends > from;
            }
            else if (overlaps && fields is ["Anonymous:" or "AnonHugePages:", var size])
            {
                var kilobytes = long.Parse(size.Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
                (anonymous, huge) = fields[0] == "Anonymous:" ? (anonymous + kilobytes, huge) : (anonymous, huge + kilobytes);
            }
        }

        return (anonymous, huge);
    }
}
