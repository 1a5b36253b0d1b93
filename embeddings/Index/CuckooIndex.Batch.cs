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

    /// <summary>Where the row lies, if it is found; else the bucket again.</summary>
    public byte* Address;

    /// <summary>The id's row, if found and asked for.</summary>
    public uint Row;

    /// <summary>Whether it is found; true of ids that are on their way to their second bucket.</summary>
    public readonly bool Found => Address != Bucket;
}

/// <summary>What rows are looked for; a type, so that each kind gets loops of its own.</summary>
internal interface IRowUse
{
    /// <summary>To be changed: their numbers and side bytes are needed too.</summary>
    static abstract bool Changes { get; }
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
        for (nint i = 0; i < count; i++)
        {
            var hash = hasher.Of(ids[i]);
            Prefetch((byte*)(directory + (nuint)((hash >> 1) >> shift)));
            probes[i].Hash = hash;
        }
    }

    /// <summary>Second stage: asks memory for the first buckets.</summary>
    public void Start(int count, Probe* probes)
    {
        var directory = _directory;
        var shift = 63 - _depth;
        var origins = _pages.Origins;
        for (nint i = 0; i < count; i++)
        {
            var hash = probes[i].Hash;
            var table = directory + (nuint)((hash >> 1) >> shift);
            var at = IdHash.Reduce((uint)hash, table->Buckets);
            var page = table->Pages[at / SubTable.BucketsPerPage];
            var bucket = origins[page / SubTable.PagesPerSlab]
                + (page * (nuint)SubTable.PageBytes) + (at % SubTable.BucketsPerPage * (nuint)Index.Bucket.Bytes);
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
    /// <param name="rowBytes">Bytes of a row to ask for, from its start on; at least 1.</param>
    /// <param name="onward">Room for as many: which ids went on to their second bucket.</param>
    /// <returns>How many went on.</returns>
    public int LookFirst<TUse>(ulong* ids, int count, Probe* probes, UnitStore rows, int rowBytes, byte* onward)
        where TUse : struct, IRowUse
    {
        // About one id in six is not in its first bucket, at random: a jump on it would be mispredicted as often. So this
        // loop does the same for all, by masks that no compiler turns into jumps, and notes who must go on.
        nint missed = 0;
        var look = new RowLook<TUse>(rows, rowBytes);
        for (nint i = 0; i < count; i++)
        {
            onward[missed] = (byte)i;
            missed -= look.At(ids[i], probes + i);
        }

        var going = 0;
        for (nint m = 0; m < missed; m++)
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
    public static void LookSecond<TUse>(ulong* ids, Probe* probes, UnitStore rows, int rowBytes, byte* onward, int going)
        where TUse : struct, IRowUse
    {
        var look = new RowLook<TUse>(rows, rowBytes);
        for (var m = 0; m < going; m++)
        {
            look.At(ids[onward[m]], probes + onward[m]);
        }
    }

    /// <summary>Looks into buckets and asks memory for rows; one object, whose fields stay in registers.</summary>
    private readonly struct RowLook<TUse>(UnitStore rows, int rowBytes)
        where TUse : struct, IRowUse
    {
        private readonly byte** _origins = rows.Origins;
        private readonly int _shift = rows.Shift;
        private readonly nuint _unitBytes = (nuint)rows.UnitBytes;
        private readonly bool _more = TUse.Changes || rowBytes != 64;

        /// <summary>Looks into a bucket.</summary>
        /// <returns>0 when the id is there, −1 when it is not.</returns>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public nint At(ulong id, Probe* probe)
        {
            var bucket = probe->Bucket;
            var match = Index.Bucket.Match(bucket, id);
            // Without a match this is entry 0, whatever it holds: its row is not touched.
            var row = Index.Bucket.Row(bucket, BitOperations.TrailingZeroCount(match) & 7);
            var absent = (nint)((long)match - 1) >> 63;
            var address = Either(bucket, _origins[row >> _shift] + (row * _unitBytes), (nuint)absent);
            probe->Address = address;
            Prefetch(address);
            if (TUse.Changes)
            {
                probe->Row = row;
            }

            if (_more)
            {
                More(row, address, ~(nuint)absent);
            }

            return absent;
        }

        private void More(uint row, byte* line, nuint keep)
        {
            for (var at = 64; at < rowBytes; at += 64)
            {
                Prefetch(line + ((nuint)at & keep));
            }

            Prefetch(line + ((nuint)(rowBytes - 1) & keep));
            if (TUse.Changes)
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
