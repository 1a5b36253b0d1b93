using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>Impressions whose last window closes at about the same time: blocks in memory, on disk, or both.</summary>
internal sealed class ImpressionWindow
{
    /// <summary>All but the last are full.</summary>
    public List<ImpressionBlock> Blocks { get; } = [];

    /// <summary>Bytes used of the last block.</summary>
    public int At { get; set; }

    /// <summary>Blocks before this one are on disk.</summary>
    public int Written { get; private set; }

    /// <summary>Blocks before this one are on disk only.</summary>
    public int Spilled { get; set; }

    /// <summary>The newest checkpoint that needs its file; 0: none does.</summary>
    public int Capture { get; set; }

    public SafeFileHandle? File { get; set; }

    /// <summary>Its file's path; null: it has no file, or one without a name.</summary>
    public string? Path { get; set; }

    public long FileBytes { get; private set; }

    /// <summary>Begins a block in the memory that is given; the one before it is full.</summary>
    public byte[] Begin(byte[] memory)
    {
        if (Blocks.Count > Written)
        {
            Blocks[^1] = Blocks[^1] with { Length = At };
        }

        Blocks.Add(new ImpressionBlock(memory, 0, 0, 0));
        At = 0;
        return memory;
    }

    /// <summary>Writes the first block that is not on disk yet; it is full.</summary>
    /// <returns>Bytes written.</returns>
    public long WriteNext()
    {
        var block = Blocks[Written];
        var bytes = block.Memory.AsSpan(0, Written < Blocks.Count - 1 ? block.Length : At);
        RandomAccess.Write(File!, bytes, FileBytes);
        Blocks[Written++] = new ImpressionBlock(block.Memory, bytes.Length, FileBytes, XxHash3.HashToUInt64(bytes));
        FileBytes += bytes.Length;
        return bytes.Length;
    }

    public void Read(long position, Span<byte> into)
    {
        for (int read; into.Length > 0; into = into[read..], position += read)
        {
            read = RandomAccess.Read(File!, into, position);
            if (read == 0)
            {
                throw new IOException($"A file of pending impressions ends too early: '{Path}', at {position} of {FileBytes} bytes.");
            }
        }
    }

    /// <summary>Takes a block that is on disk out of memory.</summary>
    public void Spill(int block, JoinMemory memory)
    {
        memory.Return(Blocks[block].Memory!);
        Blocks[block] = Blocks[block] with { Memory = null };
    }

    /// <summary>Gives its memory back.</summary>
    public void Release(JoinMemory memory)
    {
        foreach (var block in Blocks)
        {
            if (block.Memory is { } bytes)
            {
                memory.Return(bytes);
            }
        }

        Blocks.Clear();
    }

    /// <summary>Writes which file it has, what that holds, and the bytes of the block that is not full.</summary>
    public void Save(CheckpointWriter to)
    {
        to.Values<char>(System.IO.Path.GetFileName(Path));
        to.Value(Written);
        foreach (ref readonly var block in CollectionsMarshal.AsSpan(Blocks)[..Written])
        {
            to.Value(block.Length);
            to.Value(block.Hash);
        }

        to.Values<byte>(Blocks[^1].Memory.AsSpan(0, At));
    }

    /// <exception cref="InvalidDataException">Its file does not hold what was written to it.</exception>
    public void Load(CheckpointReader from, CheckpointFiles files, JoinMemory memory)
    {
        var name = new string(from.Values<char>());
        for (var blocks = from.Value<int>(); blocks > 0; blocks--)
        {
            var length = from.Value<int>();
            Blocks.Add(new ImpressionBlock(null, length, FileBytes, from.Value<ulong>()));
            FileBytes += length;
        }

        Written = Spilled = Blocks.Count;
        if (name.Length > 0)
        {
            Path = files.Window(name);
            File = System.IO.File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
            Check();
        }

        var last = from.Values<byte>();
        var block = memory.Rent(last.Length);
        last.CopyTo(block, 0);
        Begin(block);
        At = last.Length;
    }

    private void Check()
    {
        byte[] bytes = [];
        foreach (var block in Blocks)
        {
            if (bytes.Length < block.Length)
            {
                bytes = GC.AllocateUninitializedArray<byte>(block.Length);
            }

            var read = bytes.AsSpan(0, block.Length);
            Read(block.Position, read);
            if (XxHash3.HashToUInt64(read) != block.Hash)
            {
                throw new InvalidDataException($"'{Path}' is damaged: {block.Length} bytes at {block.Position} do not match their checksum.");
            }
        }
    }
}

/// <summary>A block of impressions.</summary>
/// <param name="Memory">Where it is in memory; null: nowhere.</param>
/// <param name="Length">Bytes used, once it is full.</param>
/// <param name="Position">Where in the file it is, once it is written.</param>
/// <param name="Hash">Of its bytes, once it is written.</param>
internal readonly record struct ImpressionBlock(byte[]? Memory, int Length, long Position, ulong Hash);
