using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Ingestion.Joining;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Bench.Events;

/// <summary>How much memory many shown items take whose window is open, and how fast they are put away and closed.</summary>
internal static class PendingRun
{
    private const int CheckpointEvery = 250_000;

    public static void Run(ModelSpec spec, JoinLoad load, int lists)
    {
        // All of them are open at once: an hour's window, everything shown within half of it.
        var rules = new JoinRules(spec with { Join = spec.Join with { Window = TimeSpan.FromHours(1) } }, 1);
        var options = new JoinerOptions();
        var memory = new JoinMemory(options.MemoryBudget);
        var folder = Directory.CreateTempSubdirectory("monolith-bench-pending-").FullName;
        var files = new CheckpointFiles(folder);
        using var store = new ImpressionStore(memory, files);
        using var joiner = new PartitionJoiner(rules, 0, store);
        var output = new JoinOutput();
        var first = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        PeakMemory.Reset();
        var (writing, pauseMs) = (Task.CompletedTask, 0.0);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < lists; i++)
        {
            var timeMs = first + (long)(1_800_000.0 * i / lists);
            joiner.Impression(new EventRecord(i, timeMs, default, load.Impression(i, 0, timeMs)), output);
            if ((i + 1) % CheckpointEvery == 0)
            {
                writing.GetAwaiter().GetResult();
                store.Published();
                var pause = Stopwatch.GetTimestamp();
                var checkpoint = new CheckpointWriter(memory);
                var written = joiner.Capture(checkpoint, 0);
                pauseMs = Math.Max(pauseMs, Stopwatch.GetElapsedTime(pause).TotalMilliseconds);
                writing = Task.Run(() => Write(files, checkpoint, written));
            }
        }

        writing.GetAwaiter().GetResult();

        Console.WriteLine(
            $"{joiner.PendingItems:N0} shown items pending in {joiner.Requests:N0} lists, {lists / clock.Elapsed.TotalSeconds:N0} lists/s; "
            + $"{store.SpilledBytes >> 20} MiB on disk; longest pause of a checkpoint {pauseMs:N1} ms; peak {PeakMemory.Bytes >> 20} MiB");
        clock.Restart();
        var negatives = 0L;
        while (joiner.PendingItems > 0)
        {
            output.Begin(first);
            joiner.Advance(first + 7_300_000, output, options.MaxOutputBytes);
            negatives += output.Counts.Negatives;
        }

        Console.WriteLine(
            $"closed {negatives:N0} negatives, {lists / clock.Elapsed.TotalSeconds:N0} lists/s; peak {PeakMemory.Bytes >> 20} MiB");
        store.Retired();
        joiner.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static void Write(CheckpointFiles files, CheckpointWriter checkpoint, List<SafeFileHandle> written)
    {
        using (checkpoint)
        {
            written.ForEach(RandomAccess.FlushToDisk);
            files.Publish(checkpoint);
        }
    }
}
