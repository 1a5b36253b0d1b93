using System.Diagnostics;

namespace Monolith.Bench.Table;

/// <summary>
/// Rates of all contenders on one workload, interleaved: in every round each takes a turn at the same kind of batches. A
/// turn is short enough to fit between interruptions; the rate is that of the fastest tenth of the turns, for all
/// alike. Every
/// contender has two turns a round, of lookups and of updates, so that each finds as much of its own left in the
/// caches: one that
/// only looks up does so twice, and the second turn does not count. (With one turn the limit was beaten by 1 %.)
/// </summary>
public sealed class Rates(Workload workload, IReadOnlyList<Contender> contenders, int rounds, int seed = 1)
{
    private const int BatchesPerTurn = 16;
    private readonly List<double>[] _lookups = [.. contenders.Select(_ => new List<double>())];
    private readonly List<double>[] _updates = [.. contenders.Select(_ => new List<double>())];
    private readonly ulong[] _ids = new ulong[BatchesPerTurn * Workload.Batch];
    private readonly float[] _values = new float[Workload.Batch * workload.Dimension];
    private readonly float[] _gradients = [.. Enumerable.Repeat(0.01f, Workload.Batch * workload.Dimension)];
    private readonly Random _random = new(seed);

    /// <summary>Measures.</summary>
    public void Run()
    {
        for (var round = 0; round < rounds; round++)
        {
            for (var c = 0; c < contenders.Count; c++)
            {
                workload.FillDistinct(_ids, _random);
                _lookups[c].Add(Turn(b => contenders[c].Lookup(Batch(b), _values)));
                // Updates of ids without rows would insert some in one contender and not in another.
                if (workload.Draw != Draw.HalfMissing)
                {
                    workload.FillDistinct(_ids, _random);
                    if (contenders[c].Updates)
                    {
                        _updates[c].Add(Turn(b => contenders[c].Update(Batch(b), _gradients)));
                    }
                    else
                    {
                        Turn(b => contenders[c].Lookup(Batch(b), _values));
                    }
                }
            }
        }
    }

    /// <summary>Lookups a second.</summary>
    public double Lookups(int contender) => Rate(_lookups[contender]);

    /// <summary>Updates a second.</summary>
    public double Updates(int contender) => Rate(_updates[contender]);

    private ReadOnlySpan<ulong> Batch(int b) => _ids.AsSpan(b * Workload.Batch, Workload.Batch);

    private static double Turn(Action<int> batch)
    {
        var start = Stopwatch.GetTimestamp();
        for (var b = 0; b < BatchesPerTurn; b++)
        {
            batch(b);
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Rate(List<double> seconds)
    {
        seconds.Sort();
        return seconds.Count == 0 ? 0 : BatchesPerTurn * Workload.Batch / seconds[seconds.Count / 10];
    }
}
