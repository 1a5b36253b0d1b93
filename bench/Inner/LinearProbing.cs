using Monolith.Bench.Table;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;

namespace Monolith.Bench.Inner;

/// <summary>A rejected design: (id, row) in open addressing, 16 bytes an entry, doubled when 7/10 full.</summary>
internal sealed unsafe class LinearProbing
{
    private const int Ahead = 24;
    private readonly IdHash _hash = new(1, 2, 3);
    private readonly ulong* _entries;
    private readonly float* _rows;
    private readonly ulong _mask;
    private readonly int _dimension;

    public LinearProbing(Workload workload)
    {
        _dimension = workload.Dimension;
        var entries = System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)(workload.Rows / 0.7));
        _mask = entries - 1;
        _entries = (ulong*)HugeMemory.Bytes((long)entries * 16);
        _rows = HugeMemory.Floats(workload.Rows * _dimension * 2);
        new Span<float>(_rows, 1).Clear();
        for (var row = 0L; row < workload.Rows; row++)
        {
            var id = Workload.IdOf(row);
            var at = _hash.Of(id) & _mask;
            while (_entries[(at * 2) + 1] != 0)
            {
                at = (at + 1) & _mask;
            }

            _entries[at * 2] = id;
            _entries[(at * 2) + 1] = (ulong)row + 1;
            _rows[row * _dimension * 2] = row;
        }
    }

    public void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        var rows = stackalloc float*[Ahead];
        fixed (ulong* all = ids)
        fixed (float* to = values)
        {
            for (var i = 0; i < ids.Length + (2 * Ahead); i++)
            {
                if (i >= 2 * Ahead)
                {
                    var done = i - (2 * Ahead);
                    ValueCodec.Copy(rows[done % Ahead], to + (done * _dimension), _dimension);
                }

                if (i >= Ahead && i - Ahead < ids.Length)
                {
                    var found = Find(all[i - Ahead]);
                    rows[(i - Ahead) % Ahead] = found;
                    CuckooIndex.Prefetch((byte*)found);
                }

                if (i < ids.Length)
                {
                    CuckooIndex.Prefetch((byte*)(_entries + ((_hash.Of(all[i]) & _mask) * 2)));
                }
            }
        }
    }

    private float* Find(ulong id)
    {
        for (var at = _hash.Of(id) & _mask; ; at = (at + 1) & _mask)
        {
            var row = _entries[(at * 2) + 1];
            if (row == 0 || _entries[at * 2] == id)
            {
                return _rows + ((row == 0 ? 0 : row - 1) * (ulong)_dimension * 2);
            }
        }
    }
}
