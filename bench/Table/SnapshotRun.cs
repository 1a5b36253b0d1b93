using System.Diagnostics;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Bench.Table;

/// <summary>Updates at full speed with a snapshot under way: one of its steps every so many batches.</summary>
public sealed class SnapshotRun(Workload workload, Ours ours, int runs)
{
    /// <summary>Batches of updates between two steps.</summary>
    public const int BatchesPerStep = 64;

    private readonly ulong[] _ids = new ulong[64 * Workload.Batch];
    private readonly float[] _gradients = [.. Enumerable.Repeat(0.01f, Workload.Batch * workload.Dimension)];

    /// <summary>Speed of updates with a snapshot under way, steps included, over their speed without; the best of the runs.</summary>
    public double SpeedShare { get; private set; }

    /// <summary>The longest call, of an update or a step, in seconds: the least over the runs.</summary>
    public double LongestHold { get; private set; } = double.MaxValue;

    /// <summary>As <see cref="SpeedShare"/>, by the time the thread ran.</summary>
    public double SpeedShareCpu { get; private set; }

    /// <summary>As <see cref="LongestHold"/>, by the time the thread ran.</summary>
    public double LongestHoldCpu { get; private set; } = double.MaxValue;

    /// <summary>Seconds a snapshot took, the last run's.</summary>
    public double Seconds { get; private set; }

    /// <summary>Bytes of a snapshot.</summary>
    public long Bytes { get; private set; }

    /// <summary>Times that an update waited for the disk, the last run's.</summary>
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
                Run(stream, new Random(run));
            }
            finally
            {
                File.Delete(file);
            }
        }
    }

    private void Run(Stream stream, Random random)
    {
        var without = Updates(random, batches: 2000, null);
        var start = Stopwatch.GetTimestamp();
        using var snapshot = ours.Table.BeginSnapshot(SnapshotKind.Full, stream, new SnapshotOptions { ArenaBytes = 1L << 30 });
        var with = Updates(random, int.MaxValue, snapshot);
        LongestHold = Math.Min(LongestHold, with.Longest);
        LongestHoldCpu = Math.Min(LongestHoldCpu, with.LongestCpu);
        SpeedShare = Math.Max(SpeedShare, with.Rate / without.Rate);
        SpeedShareCpu = Math.Max(SpeedShareCpu, with.RateCpu / without.RateCpu);
        snapshot.Complete();
        Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Waits = snapshot.Waits;
        Bytes = stream.Length;
    }

    private Figures Updates(Random random, int batches, TableSnapshot? snapshot)
    {
        var figures = new Figures();
        var done = 0L;
        for (var b = 0; b < batches; b++)
        {
            if (b % 64 == 0)
            {
                workload.Fill(_ids, random);
            }

            figures.Time(() => ours.Update(_ids.AsSpan(b % 64 * Workload.Batch, Workload.Batch), _gradients));
            done += Workload.Batch;
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

        figures.Done = done;
        return figures;
    }

    private sealed class Figures
    {
        private double _total;
        private double _totalCpu;

        public long Done { get; set; }

        public double Longest { get; private set; }

        public double LongestCpu { get; private set; }

        public double Rate => Done / _total;

        public double RateCpu => Done / _totalCpu;

        public void Time(Action action)
        {
            var startCpu = ThreadClock.Now;
            var start = Stopwatch.GetTimestamp();
            action();
            var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var tookCpu = ThreadClock.Now - startCpu;
            (_total, _totalCpu) = (_total + took, _totalCpu + tookCpu);
            (Longest, LongestCpu) = (Math.Max(Longest, took), Math.Max(LongestCpu, tookCpu));
        }
    }
}
