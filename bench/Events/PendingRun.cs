using System.Diagnostics;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Bench.Events;

/// <summary>How much memory many shown items take whose window is open, and how fast they are put away and closed.</summary>
internal static class PendingRun
{
    public static void Run(ModelSpec spec, JoinLoad load, int lists)
    {
        // All of them are open at once: an hour's window, everything shown within half of it.
        var rules = new JoinRules(spec with { Join = spec.Join with { Window = TimeSpan.FromHours(1) } }, 1);
        var options = new JoinerOptions();
        using var store = new ImpressionStore(new JoinMemory(options.MemoryBudget), options.SpillFolder);
        using var joiner = new PartitionJoiner(rules, 0, store);
        var output = new JoinOutput();
        var first = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        PeakMemory.Reset();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < lists; i++)
        {
            var timeMs = first + (long)(1_800_000.0 * i / lists);
            joiner.Impression(new EventRecord(i, timeMs, default, load.Impression(i, 0, timeMs)), output);
        }

        Console.WriteLine(
            $"{joiner.PendingItems:N0} shown items pending in {joiner.Requests:N0} lists, {lists / clock.Elapsed.TotalSeconds:N0} lists/s; "
            + $"{store.SpilledBytes >> 20} MiB on disk; peak {PeakMemory.Bytes >> 20} MiB");
        clock.Restart();
        var negatives = 0L;
        while (joiner.PendingItems > 0)
        {
            output.Begin(first);
            joiner.Advance(first + 7_300_000, output, options.MaxOutputBytes);
            negatives += output.Counts.Negatives;
        }

        Console.WriteLine(
            $"closed {negatives:N0} negatives, {lists / clock.Elapsed.TotalSeconds:N0} lists/s; {store.SpilledBytes >> 20} MiB on disk; peak {PeakMemory.Bytes >> 20} MiB");
    }
}
