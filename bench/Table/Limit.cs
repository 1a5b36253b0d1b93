using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Monolith.Bench.Table;

/// <summary>
/// What memory allows: a prefetched gather over as many random cache lines a row as our layout touches: the index line, for
/// some rows a second one, then the lines of the row's values. All addresses are known beforehand, so nothing waits for
/// anything; the prefetch distance is the best of several, and the memory the fastest of several allocations, on pages
/// of the same
/// size as the table's: where an array comes to lie decides a good part of the rate.
/// </summary>
public sealed unsafe class Limit : Contender
{
    private const int Allocations = 3;
    private readonly int _dimension;
    private readonly byte* _rows;
    private readonly byte* _index;
    private readonly long _rowBytes;
    private readonly long _rowCount;
    private readonly long _indexLines;
    private readonly uint _secondShare;

    public Limit(Workload workload, double secondShare, long indexBytes)
    {
        _dimension = workload.Dimension;
        _rowBytes = workload.Dimension * 2L * sizeof(float);
        _rowCount = workload.Rows;
        _indexLines = indexBytes / 64;
        _secondShare = (uint)(secondShare * uint.MaxValue);
        _rows = HugeMemory.Bytes(_rowBytes * workload.Rows);
        _index = HugeMemory.Bytes(indexBytes);
        LinesPerRow = 1 + secondShare + ((workload.Dimension * sizeof(float) + 63) / 64);
    }

    /// <summary>The best of several allocations, filled and with its prefetch distance.</summary>
    /// <param name="workload">What is looked up.</param>
    /// <param name="secondShare">Share of the ids that need a second index line.</param>
    /// <param name="indexBytes">Bytes of the index.</param>
    /// <param name="beside">Takes turns with it: alone it would find its lines in the cache.</param>
    public static Limit Best(Workload workload, double secondShare, long indexBytes, Contender beside)
    {
        Limit? best = null;
        for (var attempt = 0; attempt < Allocations; attempt++)
        {
            // The best so far stays while the next one is made, which therefore gets other memory.
            var next = new Limit(workload, secondShare, indexBytes);
            next.Fill(workload);
            next.HugeShare = HugePages.Share(next._rows, next._rowBytes * next._rowCount);
            next.Tune(workload, beside);
            var (worse, better) = best is null || next.TunedRate > best.TunedRate ? (best, next) : (next, best);
            worse?.Dispose();
            best = better;
        }

        return best!;
    }

    public override string Name => "limit";

    /// <summary>Share of the rows' memory that lies on huge pages; null where the system does not say.</summary>
    public double? HugeShare { get; private set; }

    /// <summary>Lookups a second when it was chosen.</summary>
    public double TunedRate { get; private set; }

    /// <summary>Whether every second id has no row, so that there is no row to read for it.</summary>
    public bool HalfMissing { get; set; }

    public override bool Updates => false;

    /// <summary>Random cache lines a row.</summary>
    public double LinesPerRow { get; }

    /// <summary>Rows ahead that are asked for.</summary>
    public int Distance { get; set; } = 24;

    public override void Fill(Workload workload)
    {
        for (var at = 0L; at < _rowBytes * _rowCount; at += 4096)
        {
            _rows[at] = 1;
        }

        for (var at = 0L; at < _indexLines * 64; at += 4096)
        {
            _index[at] = 1;
        }
    }

    public override void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        var found = 0UL;
        fixed (float* to = values)
        fixed (ulong* from = ids)
        {
            for (var i = 0; i < ids.Length + Distance; i++)
            {
                if (i < ids.Length)
                {
                    Ask(from[i], hasRow: !HalfMissing || (i & 1) == 0);
                }

                if (i >= Distance)
                {
                    var id = from[i - Distance];
                    found += *(ulong*)IndexLine(id);
                    if ((uint)id < _secondShare)
                    {
                        found += *(ulong*)IndexLine(id * 0x9e3779b97f4a7c15UL);
                    }

                    var place = to + ((i - Distance) * _dimension);
                    if (!HalfMissing || ((i - Distance) & 1) == 0)
                    {
                        Copy((float*)Row(id), place);
                    }
                    else
                    {
                        new Span<float>(place, _dimension).Clear();
                    }
                }
            }
        }

        _sink = found;
    }

    private ulong _sink;

    /// <summary>Keeps the reads alive.</summary>
    public ulong Sink => _sink;

    public override void Update(ReadOnlySpan<ulong> ids, ReadOnlySpan<float> gradients) => throw new NotSupportedException();

    public override void Dispose()
    {
        HugeMemory.Free((float*)_rows, _rowBytes * _rowCount / sizeof(float));
        HugeMemory.Free((float*)_index, _indexLines * 64 / sizeof(float));
        base.Dispose();
    }

    private void Tune(Workload workload, Contender beside)
    {
        var chosen = Distance;
        foreach (var distance in (ReadOnlySpan<int>)[12, 16, 24, 32, 48, 64])
        {
            Distance = distance;
            var rates = new Rates(workload, [beside, this], rounds: 20, seed: 100 + distance);
            rates.Run();
            if (rates.Lookups(1) > TunedRate)
            {
                (TunedRate, chosen) = (rates.Lookups(1), distance);
            }
        }

        Distance = chosen;
    }

    private byte* IndexLine(ulong id) => _index + ((long)Math.BigMul(id, (ulong)_indexLines, out _) * 64);

    private byte* Row(ulong id) => _rows + ((long)(((id >> 8) & uint.MaxValue) * (ulong)_rowCount >> 32) * _rowBytes);

    private void Ask(ulong id, bool hasRow)
    {
        Sse.Prefetch0(IndexLine(id));
        if ((uint)id < _secondShare)
        {
            Sse.Prefetch0(IndexLine(id * 0x9e3779b97f4a7c15UL));
        }

        if (!hasRow)
        {
            return;
        }

        var row = Row(id);
        for (var at = 0; at < _dimension * sizeof(float); at += 64)
        {
            Sse.Prefetch0(row + at);
        }
    }

    private void Copy(float* from, float* to)
    {
        for (var at = 0; at < _dimension; at += Vector256<float>.Count)
        {
            Vector256.Store(Vector256.Load(from + at), to + at);
        }
    }
}
