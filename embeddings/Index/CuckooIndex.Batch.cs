using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Monolith.Embeddings.Memory;

namespace Monolith.Embeddings.Index;

/// <summary>An id on its way through the pipeline.</summary>
internal unsafe struct Probe
{
    /// <summary>The id's hash.</summary>
    public ulong Hash;

    /// <summary>The bucket looked into last, or to look into next.</summary>
    public byte* Bucket;

    /// <summary>Where the row lies, if it is found.</summary>
    public byte* Address;

    /// <summary>The id's row, if found.</summary>
    public uint Row;

    /// <summary>Whether it is found.</summary>
    public bool Found;
}

/// <summary>What of a row to ask memory for.</summary>
/// <param name="Bytes">From its start on, at least 1.</param>
/// <param name="Side">Its side bytes too.</param>
internal readonly record struct RowParts(int Bytes, bool Side)
{
    /// <summary>Whether that may be more than one line.</summary>
    public bool More { get; } = Side || Bytes % 64 != 0 || Bytes > 64;
}

/// <content>
/// The stages of a batch. While the first bucket of one block of ids is on its way from memory, the second bucket or the row
/// of the block before is, and the rows of the block before that are worked on.
/// </content>
internal sealed unsafe partial class CuckooIndex
{
    /// <summary>First stage: hashes, and asks memory for the sub-tables' descriptors.</summary>
    public void Hash(ulong* ids, int count, Probe* probes)
    {
        // Locals, for the loop to keep in registers: the compiler must assume that a store through a pointer hits a field.
        var hasher = _hash;
        var directory = _directory;
        var shift = 63 - _depth;
        for (var i = 0; i < count; i++)
        {
            var hash = hasher.Of(ids[i]);
            Prefetch((byte*)(directory + (int)((hash >> 1) >> shift)));
            probes[i].Hash = hash;
        }
    }

    /// <summary>Second stage: asks memory for the first buckets.</summary>
    public void Start(int count, Probe* probes)
    {
        var directory = _directory;
        var shift = 63 - _depth;
        var slabs = _pages.SlabAddresses;
        for (var i = 0; i < count; i++)
        {
            var hash = probes[i].Hash;
            var table = directory + (int)((hash >> 1) >> shift);
            var at = IdHash.Reduce((uint)hash, table->Buckets);
            var page = table->Pages[at / SubTable.BucketsPerPage];
            var bucket = slabs[page / SubTable.PagesPerSlab]
                + (page % SubTable.PagesPerSlab * (nuint)SubTable.PageBytes) + (at % SubTable.BucketsPerPage * (nuint)Index.Bucket.Bytes);
            Prefetch(bucket);
            probes[i].Bucket = bucket;
        }
    }

    /// <summary>
    /// Third stage: the first buckets are here; asks memory for the rows that they lead to, or for second buckets where an id
    /// may lie in its second one.
    /// </summary>
    /// <param name="ids">The block's ids.</param>
    /// <param name="count">How many.</param>
    /// <param name="probes">As the second stage left them.</param>
    /// <param name="rows">Where rows lie.</param>
    /// <param name="ask">What of a row to ask for.</param>
    /// <param name="onward">Room for as many: which ids went on to their second bucket.</param>
    /// <returns>How many went on.</returns>
    public int LookFirst(ulong* ids, int count, Probe* probes, UnitStore rows, RowParts ask, byte* onward)
    {
        // About one id in six is not in its first bucket, at random: a jump on it would be mispredicted as often. So this
        // loop does the same for all, by masks that no compiler turns into jumps, and notes who must go on.
        var missed = 0;
        var look = new RowLook(rows, ask);
        for (var i = 0; i < count; i++)
        {
            onward[missed] = (byte)i;
            missed += 1 - look.At(ids[i], probes + i);
        }

        var going = 0;
        for (var m = 0; m < missed; m++)
        {
            var probe = probes + onward[m];
            var second = IdHash.Second(probe->Hash);
            if (Index.Bucket.MayBeAway(probe->Bucket, second))
            {
                probe->Bucket = SecondBucket(probe->Hash, second);
                Prefetch(probe->Bucket);
                onward[going++] = onward[m];
            }
        }

        return going;
    }

    /// <summary>Fourth stage: the same for the ids that went on.</summary>
    public static void LookSecond(ulong* ids, Probe* probes, UnitStore rows, RowParts ask, byte* onward, int going)
    {
        var look = new RowLook(rows, ask);
        for (var m = 0; m < going; m++)
        {
            look.At(ids[onward[m]], probes + onward[m]);
        }
    }

    /// <summary>Looks into buckets and asks memory for rows; one object, whose fields stay in registers.</summary>
    private readonly struct RowLook(UnitStore rows, RowParts ask)
    {
        private readonly byte** _slabs = rows.SlabAddresses;
        private readonly int _shift = rows.Shift;
        private readonly uint _mask = rows.Mask;
        private readonly nuint _unitBytes = (nuint)rows.UnitBytes;

        /// <summary>Looks into a bucket.</summary>
        /// <returns>1 when the id is there, 0 when it is not.</returns>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int At(ulong id, Probe* probe)
        {
            var bucket = probe->Bucket;
            var match = Index.Bucket.Match(bucket, id);
            // Without a match this is entry 0, whatever it holds: its row is not touched.
            var row = Index.Bucket.Row(bucket, BitOperations.TrailingZeroCount(match) & 7);
            var address = _slabs[row >> _shift] + ((row & _mask) * _unitBytes);
            // The match is below 32, so this is 1 for any but 0.
            var found = (int)((match + 31) >> 5);
            var keep = (nuint)(nint)(-found);
            probe->Row = row;
            probe->Address = address;
            probe->Found = found != 0;
            var line = Either(address, bucket, keep);
            Prefetch(line);
            if (ask.More)
            {
                More(row, line, keep);
            }

            return found;
        }

        private void More(uint row, byte* line, nuint keep)
        {
            for (var at = 64; at < ask.Bytes; at += 64)
            {
                Prefetch(line + ((nuint)at & keep));
            }

            Prefetch(line + ((nuint)(ask.Bytes - 1) & keep));
            if (ask.Side)
            {
                Prefetch(Either(rows.Side(row), line, keep));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static byte* Either(byte* yes, byte* no, nuint keep) => (byte*)((nuint)no ^ (((nuint)yes ^ (nuint)no) & keep));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(byte* line)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(line);
        }
        else if (System.Runtime.Intrinsics.Arm.ArmBase.IsSupported)
        {
            // No portable prefetch: reading a byte starts the load, and nothing waits for it.
            _ = Volatile.Read(ref *line);
        }
    }
}
