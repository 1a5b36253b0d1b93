using Microsoft.Win32.SafeHandles;

namespace Monolith.Ingestion.Joining;

/// <summary>Where an impression's bytes are kept within its window.</summary>
/// <param name="Block">The block.</param>
/// <param name="Offset">Where in the block.</param>
/// <param name="Length">Bytes; 0: nothing is kept.</param>
internal readonly record struct StoredImpression(int Block, int Offset, int Length);

/// <summary>
/// The bytes of a partition's pending impressions: in blocks of memory within the budget, beyond it in one file a time window,
/// written in whole blocks and deleted as a whole. The windows that close last go to disk first. Files are this process's own:
/// they vanish with it.
/// </summary>
internal sealed class ImpressionStore(JoinMemory memory, string folder) : IDisposable
{
    private readonly SortedDictionary<long, Window> _windows = [];
    private byte[] _read = [];
    private (long Window, StoredImpression Stored) _last;

    /// <summary>Bytes on disk.</summary>
    public long SpilledBytes { get; private set; }

    public StoredImpression Put(long window, ReadOnlySpan<byte> bytes)
    {
        if (!_windows.TryGetValue(window, out var to))
        {
            _windows[window] = to = new Window();
        }

        if (to.Blocks.Count == 0 || to.Blocks[^1] is not { } block || block.Length - to.At < bytes.Length)
        {
            Spill();
            to.Blocks.Add(block = memory.Rent(bytes.Length));
            to.Positions.Add(-1);
            to.At = 0;
        }

        bytes.CopyTo(block.AsSpan(to.At));
        to.At += bytes.Length;
        return new StoredImpression(to.Blocks.Count - 1, to.At - bytes.Length, bytes.Length);
    }

    /// <summary>An impression's bytes; valid until the next call.</summary>
    public ReadOnlySpan<byte> Get(long window, StoredImpression stored)
    {
        var from = _windows[window];
        if (from.Blocks[stored.Block] is { } block)
        {
            return block.AsSpan(stored.Offset, stored.Length);
        }

        if (_last != (window, stored))
        {
            if (_read.Length < stored.Length)
            {
                _read = GC.AllocateUninitializedArray<byte>(stored.Length);
            }

            var at = 0;
            while (at < stored.Length)
            {
                var read = RandomAccess.Read(from.File!, _read.AsSpan(at, stored.Length - at), from.Positions[stored.Block] + stored.Offset + at);
                at += read > 0 ? read : throw new IOException($"A file of pending impressions in '{folder}' ends too early.");
            }

            _last = (window, stored);
        }

        return _read.AsSpan(0, stored.Length);
    }

    /// <summary>Drops windows before one, whole.</summary>
    public void DropBefore(long window)
    {
        while (_windows.Count > 0 && First() is var oldest && oldest < window)
        {
            Drop(_windows[oldest]);
            _windows.Remove(oldest);
            _last = default;
        }
    }

    public void Dispose() => DropBefore(long.MaxValue);

    private long First()
    {
        foreach (var window in _windows.Keys)
        {
            return window;
        }

        return long.MaxValue;
    }

    /// <summary>Makes room: full blocks go to disk until the budget is kept or only blocks in use are left.</summary>
    private void Spill()
    {
        if (!memory.IsOver)
        {
            return;
        }

        foreach (var window in _windows.Values.Reverse())
        {
            // The last block still takes bytes.
            for (; memory.IsOver && window.Spilled < window.Blocks.Count - 1; window.Spilled++)
            {
                SpillBlock(window, window.Spilled);
            }
        }
    }

    private void SpillBlock(Window window, int index)
    {
        var block = window.Blocks[index]!;
        window.File ??= Create();
        RandomAccess.Write(window.File, block, window.FileBytes);
        window.Positions[index] = window.FileBytes;
        window.FileBytes += block.Length;
        SpilledBytes += block.Length;
        window.Blocks[index] = null;
        memory.Return(block);
    }

    private SafeFileHandle Create()
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"pending-{Guid.NewGuid():N}");
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
        {
            // Without a name at once: it goes when the process does, however it ends.
            File.Delete(path);
        }

        return file;
    }

    private void Drop(Window window)
    {
        SpilledBytes -= window.FileBytes;
        window.File?.Dispose();
        foreach (var block in window.Blocks)
        {
            if (block is not null)
            {
                memory.Return(block);
            }
        }
    }

    /// <summary>Impressions whose last window closes at about the same time.</summary>
    private sealed class Window
    {
        /// <summary>Its blocks; null: on disk.</summary>
        public List<byte[]?> Blocks { get; } = [];

        /// <summary>Where each block lies in the file; −1: in memory.</summary>
        public List<long> Positions { get; } = [];

        /// <summary>Bytes used of the last block.</summary>
        public int At { get; set; }

        /// <summary>Blocks before this one are on disk.</summary>
        public int Spilled { get; set; }

        public SafeFileHandle? File { get; set; }

        public long FileBytes { get; set; }
    }
}
