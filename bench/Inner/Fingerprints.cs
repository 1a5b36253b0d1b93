using System.Numerics;
using System.Runtime.Intrinsics;
using Monolith.Bench.Table;
using Monolith.Embeddings.Index;
using Monolith.Embeddings.Rows;

namespace Monolith.Bench.Inner;

/// <summary>
/// A rejected design: buckets of ten entries, a 16-bit fingerprint and a 4-byte row each, in one line; the whole id lies with
/// the row's marks, since a fingerprint alone would let two ids share a row. Less index (6.7 bytes a row), a line more.
/// Filled by first and second choice only: enough to measure reading.
/// </summary>
internal sealed unsafe class Fingerprints
{
    private const int Entries = 10;
    private const int Ahead = 16;
    private readonly IdHash _hash = new(1, 2, 3);
    private readonly byte* _buckets;
    private readonly uint _count;
    private readonly ulong* _ids;
    private readonly float* _rows;
    private readonly int _dimension;

    public Fingerprints(Workload workload)
    {
        _dimension = workload.Dimension;
        _count = (uint)(workload.Rows / (Entries * 0.8));
        _buckets = HugeMemory.Bytes(_count * 64L);
        _ids = (ulong*)HugeMemory.Bytes(workload.Rows * 8);
        _rows = HugeMemory.Floats(workload.Rows * _dimension * 2);
        for (var row = 0L; row < workload.Rows; row++)
        {
            var id = Workload.IdOf(row);
            var hash = _hash.Of(id);
            _ids[row] = id;
            _rows[row * _dimension * 2] = row;
            if (!Put(First(hash), hash, (uint)row))
            {
                Put(Second(hash), hash, (uint)row);
            }
        }
    }

    public void Lookup(ReadOnlySpan<ulong> ids, Span<float> values)
    {
        var rows = stackalloc uint[4 * Ahead];
        fixed (ulong* all = ids)
        fixed (float* to = values)
        {
            for (var i = 0; i < ids.Length + (3 * Ahead); i++)
            {
                if (i < ids.Length)
                {
                    CuckooIndex.Prefetch(First(_hash.Of(all[i])));
                }

                if (i >= Ahead && i - Ahead < ids.Length)
                {
                    // By far most are in the first bucket; the few others wait for memory in the last stage.
                    var row = Match(First(_hash.Of(all[i - Ahead])), _hash.Of(all[i - Ahead]));
                    rows[(i - Ahead) % (4 * Ahead)] = row;
                    if (row != uint.MaxValue)
                    {
                        CuckooIndex.Prefetch((byte*)(_ids + row));
                        CuckooIndex.Prefetch((byte*)(_rows + ((long)row * _dimension * 2)));
                    }
                }

                if (i >= 3 * Ahead)
                {
                    var done = i - (3 * Ahead);
                    var row = rows[done % (4 * Ahead)];
                    if (row == uint.MaxValue || _ids[row] != all[done])
                    {
                        row = Match(Second(_hash.Of(all[done])), _hash.Of(all[done]));
                    }

                    ValueCodec.Copy(_rows + ((row == uint.MaxValue ? 0L : row) * _dimension * 2), to + (done * _dimension), _dimension);
                }
            }
        }
    }

    private byte* First(ulong hash) => _buckets + (IdHash.Reduce((uint)hash, _count) * 64L);

    private byte* Second(ulong hash) => _buckets + (IdHash.Reduce(IdHash.Second(hash), _count) * 64L);

    private static ushort Print(ulong hash) => (ushort)(hash >> 48 | 1);

    private static bool Put(byte* bucket, ulong hash, uint row)
    {
        for (var entry = 0; entry < Entries; entry++)
        {
            if (((ushort*)bucket)[entry] == 0)
            {
                ((ushort*)bucket)[entry] = Print(hash);
                ((uint*)(bucket + 20))[entry] = row;
                return true;
            }
        }

        return false;
    }

    private static uint Match(byte* bucket, ulong hash)
    {
        var equal = Vector256.Equals(Vector256.Load((ushort*)bucket), Vector256.Create(Print(hash))).ExtractMostSignificantBits() & ((1u << Entries) - 1);
        return equal == 0 ? uint.MaxValue : ((uint*)(bucket + 20))[BitOperations.TrailingZeroCount(equal)];
    }
}
