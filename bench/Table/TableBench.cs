using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Monolith.Bench.Table;

/// <summary>The table beside what its users could pick instead and beside what memory allows.</summary>
public sealed class TableBench(TableBenchOptions options)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private bool _limitIsBeaten;

    /// <summary>Measures, prints, and writes the report.</summary>
    /// <returns>Whether the limit held everywhere: a limit that is beaten is none, and the shares of it say nothing.</returns>
    public bool Run()
    {
        var report = options.MatrixOnly
            ? new JsonObject { ["machine"] = Machine() }
            : Measure([new Workload(options.Rows, options.Dimension, Draw.Uniform)], full: true).Single();
        if (options.Matrix)
        {
            report["matrix"] = new JsonArray([.. MatrixOf().SelectMany(w => Measure(w, full: false))]);
        }

        if (options.Json is { } file)
        {
            File.WriteAllText(file + ".new", report.ToJsonString(Indented));
            File.Move(file + ".new", file, overwrite: true);
            Console.WriteLine($"written to {file}");
        }

        return !_limitIsBeaten;
    }

    /// <summary>Workloads that share their rows, for each size and dimension.</summary>
    private IEnumerable<Workload[]> MatrixOf()
    {
        foreach (var rows in new[] { 1_000_000, options.Rows }.Distinct())
        {
            foreach (var dimension in options.MatrixOnly ? [options.Dimension] : new[] { 8, 16, 64 })
            {
                // 16 M rows of 64 values would take 9 GB a contender.
                var fitting = dimension == 64 ? Math.Min(rows, 4_000_000) : rows;
                yield return [.. Enum.GetValues<Draw>().Select(draw => new Workload(fitting, dimension, draw))];
            }
        }
    }

    /// <summary>Measures workloads of the same rows, one after the other.</summary>
    private List<JsonObject> Measure(Workload[] workloads, bool full)
    {
        var rows = workloads[0];
        using var ours = new Ours(rows.Dimension);
        var hugeShare = HugePages.ShareTakenBy(() => ours.Fill(rows));
        var found = ours.Table.Statistics();
        using var dictionary = new DictionaryRows(rows);
        using var faster = Faster(rows);
        using var limit = Limit.Best(rows, 1 - found.FirstBucketShare, found.IndexBytes, ours);
        Contender[] contenders = [ours, dictionary, faster, limit];
        double[] inserts = [0, Fill(dictionary, rows), Fill(faster, rows), 0];
        var reports = new List<JsonObject>();
        foreach (var workload in workloads)
        {
            Console.WriteLine($"{workload.Rows:N0} rows × {workload.Dimension}, ids {workload.Draw}");
            limit.HalfMissing = workload.Draw == Draw.HalfMissing;
            var rates = new Rates(workload, contenders, options.Quick ? 60 : 200);
            rates.Run();
            var entries = contenders.Select((_, i) => Entry(rates, i, rates.Updates(i) > 0)).ToArray();
            entries[1]["inserts_per_second"] = Math.Round(inserts[1]);
            entries[2]["inserts_per_second"] = Math.Round(inserts[2]);
            entries[3]["lines_per_row"] = Math.Round(limit.LinesPerRow, 3);
            entries[3]["prefetch_distance"] = limit.Distance;
            entries[3]["lookups_per_second_when_chosen"] = Math.Round(limit.TunedRate);
            entries[3]["huge_page_share"] = Rounded(limit.HugeShare);
            entries[0]["huge_page_share"] = Rounded(hugeShare);
            entries[0]["bytes_per_row_overhead"] = Math.Round(found.OverheadPerRow, 2);
            if (full)
            {
                Details(entries[0], workload, ours);
            }

            reports.Add(Report(workload, rates, contenders, entries, full));
        }

        return reports;
    }

    private JsonObject Report(Workload workload, Rates rates, Contender[] contenders, JsonObject[] entries, bool full)
    {
        var report = new JsonObject
        {
            ["lookup_share_of_limit"] = Math.Round(rates.Lookups(0) / rates.Lookups(3), 3),
            ["lookup_over_dictionary"] = Math.Round(rates.Lookups(0) / rates.Lookups(1), 2),
            ["limit_beaten"] = IsBeaten(rates, contenders),
            ["update_over_dictionary"] = rates.Updates(1) > 0 ? Math.Round(rates.Updates(0) / rates.Updates(1), 2) : null,
            ["settings"] = Settings(workload),
        };
        if (full)
        {
            report["machine"] = Machine();
        }

        for (var i = 0; i < contenders.Length; i++)
        {
            report[contenders[i].Name] = entries[i];
        }

        Print(report, contenders);
        return report;
    }

    // Loudly: who reads the share of a limit that is none draws the wrong conclusion.
    private bool IsBeaten(Rates rates, Contender[] contenders)
    {
        var best = Enumerable.Range(0, 3).MaxBy(rates.Lookups);
        var isBeaten = rates.Lookups(best) > rates.Lookups(3);
        if (isBeaten)
        {
            _limitIsBeaten = true;
            Console.Error.WriteLine(
                $"THE LIMIT IS BEATEN: {contenders[best].Name} {rates.Lookups(best):N0} lookups/s, limit {rates.Lookups(3):N0}; "
                + "it was measured in a bad moment or is no limit for this workload: no share of it may be quoted");
        }

        return isBeaten;
    }

    private static double? Rounded(double? share) => share is { } x ? Math.Round(x, 3) : null;

    private void Details(JsonObject entry, Workload workload, Ours ours)
    {
        entry["allocated_bytes_per_batch"] = Allocation.PerBatch(ours, workload);
        var snapshot = new SnapshotRun(workload, ours, options.Quick ? 3 : 5);
        snapshot.Run();
        entry["snapshot_update_speed_share"] = Math.Round(snapshot.SpeedShare, 3);
        entry["snapshot_longest_hold_ms"] = Math.Round(snapshot.LongestHold * 1e3, 3);
        entry["snapshot_update_speed_share_thread_time"] = Math.Round(snapshot.SpeedShareCpu, 3);
        entry["snapshot_longest_hold_ms_thread_time"] = Math.Round(snapshot.LongestHoldCpu * 1e3, 3);
        entry["snapshot_longest_hold_ms_of_all_runs"] = Math.Round(snapshot.LongestHoldOfAll * 1e3, 3);
        entry["snapshot_longest_hold_ms_without_snapshot"] = Math.Round(snapshot.LongestHoldWithout * 1e3, 3);
        entry["snapshot_seconds"] = Math.Round(snapshot.Seconds, 2);
        entry["snapshot_bytes"] = snapshot.Bytes;
        entry["snapshot_waits"] = snapshot.Waits;
        var growth = new GrowthRun(options.Quick ? Math.Min(workload.Rows, 2_000_000) : workload.Rows, workload.Dimension, options.Quick ? 3 : 5);
        growth.Run();
        entry["inserts_per_second"] = Math.Round(growth.InsertsPerSecond);
        entry["index_load_before_growth"] = Math.Round(growth.LoadBeforeGrowth.Mean, 4);
        entry["index_load_before_growth_least"] = Math.Round(growth.LoadBeforeGrowth.Least, 4);
        entry["batch_p50_us"] = Math.Round(growth.At(0.5) * 1e6, 1);
        entry["batch_p999_us"] = Math.Round(growth.At(0.999) * 1e6, 1);
        entry["growth_batch_max_over_median"] = Math.Round(growth.MaxOverMedian, 2);
        entry["growth_batch_max_over_median_thread_time"] = Math.Round(growth.MaxOverMedianCpu, 2);
        entry["batch_p50_us_thread_time"] = Math.Round(growth.MedianCpu * 1e6, 1);
        entry["overhead_by_rows"] = Overhead.ByRows(options.Quick ? [1_000_000] : [1_000_000, 3_000_000, 10_000_000, 16_000_000, 20_000_000]);
    }

    private static Contender Faster(Workload workload) => workload.Dimension switch
    {
        8 => new FasterRows<Row8>(workload),
        16 => new FasterRows<Row16>(workload),
        64 => new FasterRows<Row64>(workload),
        var other => throw new NotSupportedException($"dimension {other}: FASTER's rows are compiled for 8, 16 and 64"),
    };

    private static double Fill(Contender contender, Workload workload)
    {
        var start = Stopwatch.GetTimestamp();
        contender.Fill(workload);
        return workload.Rows / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static JsonObject Entry(Rates rates, int contender, bool updates)
    {
        var entry = new JsonObject { ["lookups_per_second"] = Math.Round(rates.Lookups(contender)) };
        if (updates)
        {
            entry["updates_per_second"] = Math.Round(rates.Updates(contender));
        }

        return entry;
    }

    private JsonObject Settings(Workload workload) => new()
    {
        ["rows"] = workload.Rows,
        ["dimension"] = workload.Dimension,
        ["ids"] = workload.Draw.ToString(),
        ["batch"] = Workload.Batch,
        ["quick"] = options.Quick,
        ["rate"] = "fastest tenth of interleaved turns of 16 batches",
        ["snapshot_batches_per_step"] = SnapshotRun.BatchesPerStep,
    };

    private static JsonObject Machine() => new()
    {
        ["cpu"] = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : RuntimeInformation.ProcessArchitecture.ToString(),
        ["cores"] = Environment.ProcessorCount,
        ["vectors"] = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128,
        ["system"] = RuntimeInformation.OSDescription,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["memory_bytes"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        ["load_average"] = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : null,
    };

    private static void Print(JsonObject report, Contender[] contenders)
    {
        Console.WriteLine($"{"",-12}{"lookups/s",14}{"updates/s",14}{"inserts/s",14}");
        foreach (var contender in contenders)
        {
            var entry = report[contender.Name]!.AsObject();
            Console.WriteLine($"{contender.Name,-12}{Cell("lookups_per_second"),14}{Cell("updates_per_second"),14}{Cell("inserts_per_second"),14}");
            string Cell(string key) => entry[key] is { } value ? $"{value.GetValue<double>():N0}" : "";
        }

        Console.WriteLine($"share of limit {report["lookup_share_of_limit"]}, over dictionary {report["lookup_over_dictionary"]} (lookups), {report["update_over_dictionary"]} (updates)");
        foreach (var (key, value) in report["ours"]!.AsObject().Where(e => !e.Key.EndsWith("_per_second", StringComparison.Ordinal)))
        {
            Console.WriteLine($"  {key,-36}{value?.ToJsonString()}");
        }
    }
}
