using System.Diagnostics;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Bench.Table;

/// <summary>Updates at full speed with a snapshot under way: one of its steps every so many batches.</summary>
public sealed class SnapshotRun(Workload workload, Ours ours, int runs)
{
    /// <summary>Batches of updates between two steps.</summary>
    public const int BatchesPerStep = 192;

    private readonly ulong[] _ids = new ulong[64 * Workload.Batch];
    private readonly float[] _gradients = [.. Enumerable.Repeat(0.01f, Workload.Batch * workload.Dimension)];

    private readonly List<double> _shares = [];
    private readonly List<double> _sharesCpu = [];
    private List<double> _least = [];
    private List<double> _leastCpu = [];
    private int _updatesOfARun;

    /// <summary>
    /// Speed of updates with a snapshot under way, steps included, over their speed without: the median of the runs. Without
    /// is the mean of as many batches before the snapshot as after it, so that a machine that quickens or slows counts in
    /// neither's favour.
    /// </summary>
    public double SpeedShare => Median(_shares);

    /// <summary>
    /// The longest call, of an update or a step, in seconds; of each call, the least over the runs, which make the same calls.
    /// </summary>
    public double LongestHold => _least.Max();

    /// <summary>The longest of all calls of all runs.</summary>
    public double LongestHoldOfAll { get; private set; }

    /// <summary>The longest of as many updates as a snapshot saw, with none under way: what the machine alone makes of a call.</summary>
    public double LongestHoldWithout { get; private set; }

    /// <summary>As <see cref="SpeedShare"/>, by the time the thread ran.</summary>
    public double SpeedShareCpu => Median(_sharesCpu);

    /// <summary>As <see cref="LongestHold"/>, by the time the thread ran.</summary>
    public double LongestHoldCpu => _leastCpu.Max();

    /// <summary>Seconds a snapshot took, the last run's.</summary>
    public double Seconds { get; private set; }

    /// <summary>Bytes of a snapshot.</summary>
    public long Bytes { get; private set; }

    /// <summary>Times that an update waited for the disk, in all runs.</summary>
    public int Waits { get; private set; }

    /// <summary>Measures.</summary>
    public void Run()
    {
        for (var run = 0; run < runs; run++)
        {
            var file = Path.GetTempFileName();
            try
            {
                using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 0);
                Run(stream);
            }
            finally
            {
                File.Delete(file);
            }
        }

        LongestHoldWithout = Updates(_updatesOfARun, null).Calls.Max();
    }

    private void Run(Stream stream)
    {
        const int Before = 2000;
        Updates(200, null);
        var before = Updates(Before, null);
        var start = Stopwatch.GetTimestamp();
        using var snapshot = ours.Table.BeginSnapshot(SnapshotKind.Full, stream, new SnapshotOptions { ArenaBytes = 1L << 30 });
        var with = Updates(int.MaxValue, snapshot);
        snapshot.Complete();
        Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var after = Updates(Before, null);
        _least = Least(_least, with.Calls);
        _leastCpu = Least(_leastCpu, with.CallsCpu);
        LongestHoldOfAll = Math.Max(LongestHoldOfAll, with.Calls.Max());
        _shares.Add(with.PerSecond * (before.Calls.Sum() + after.Calls.Sum()) / (before.Updates + after.Updates));
        _sharesCpu.Add(with.PerSecondCpu * (before.CallsCpu.Sum() + after.CallsCpu.Sum()) / (before.Updates + after.Updates));
        _updatesOfARun = with.Updates;
        Waits += snapshot.Waits;
        Bytes = stream.Length;
    }

    private static List<double> Least(List<double> left, List<double> right) =>
        left.Count == 0 ? right : [.. left.Zip(right, Math.Min)];

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>The same ids in every call, so that the runs are identical.</summary>
    private Figures Updates(int batches, TableSnapshot? snapshot)
    {
        var figures = new Figures();
        var random = new Random(1);
        for (var b = 0; b < batches; b++)
        {
            if (b % 64 == 0)
            {
                workload.Fill(_ids, random);
            }

            figures.Time(() => ours.Update(_ids.AsSpan(b % 64 * Workload.Batch, Workload.Batch), _gradients));
            figures.Updates++;
            if (snapshot is not null && b % BatchesPerStep == 0)
            {
                var complete = false;
                figures.Time(() => complete = snapshot.Step());
                if (complete)
                {
                    break;
                }
            }
        }

        return figures;
    }

    private sealed class Figures
    {
        public List<double> Calls { get; } = new(1 << 20);

        public List<double> CallsCpu { get; } = new(1 << 20);

        public int Updates { get; set; }

        public double PerSecond => Updates / Calls.Sum();

        public double PerSecondCpu => Updates / CallsCpu.Sum();

        public void Time(Action action)
        {
            var startCpu = ThreadClock.Now;
            var start = Stopwatch.GetTimestamp();
            action();
            Calls.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            CallsCpu.Add(ThreadClock.Now - startCpu);
        }
    }
}
