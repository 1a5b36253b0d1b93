using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Monolith.Bench.Table;

/// <summary>
/// What memory allows: a prefetched gather over as many random cache lines a row as our layout touches: the index line, for
/// some rows a second one, then the lines of the row's values. All addresses are known beforehand, so nothing waits for
/// anything; the prefetch distance is the best of several.
/// </summary>
public sealed unsafe class Limit : Contender
{
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

    public override string Name => "limit";

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
                    Ask(from[i]);
                }

                if (i >= Distance)
                {
                    var id = from[i - Distance];
                    found += *(ulong*)IndexLine(id);
                    if ((uint)id < _secondShare)
                    {
                        found += *(ulong*)IndexLine(id * 0x9e3779b97f4a7c15UL);
                    }

                    Copy((float*)Row(id), to + ((i - Distance) * _dimension));
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

    private byte* IndexLine(ulong id) => _index + ((long)Math.BigMul(id, (ulong)_indexLines, out _) * 64);

    private byte* Row(ulong id) => _rows + ((long)(((id >> 8) & uint.MaxValue) * (ulong)_rowCount >> 32) * _rowBytes);

    private void Ask(ulong id)
    {
        Sse.Prefetch0(IndexLine(id));
        if ((uint)id < _secondShare)
        {
            Sse.Prefetch0(IndexLine(id * 0x9e3779b97f4a7c15UL));
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
