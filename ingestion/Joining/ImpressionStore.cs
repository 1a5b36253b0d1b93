using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Monolith.Ingestion.Joining.Checkpoints;

namespace Monolith.Ingestion.Joining;

/// <summary>Where an impression's bytes are kept within its window.</summary>
/// <param name="Block">The block.</param>
/// <param name="Offset">Where in the block.</param>
/// <param name="Length">Bytes; 0: nothing is kept.</param>
internal readonly record struct StoredImpression(int Block, int Offset, int Length);

/// <summary>
/// The bytes of a partition's pending impressions: in blocks of memory within the budget, beyond it in one file a time window,
/// written in whole blocks and deleted as a whole. The windows that close last leave memory first. With files for checkpoints a
/// block is written as soon as it is full, so a checkpoint has little left to write; without, only when memory is short, and
/// files vanish with the process.
/// </summary>
internal sealed class ImpressionStore(JoinMemory memory, CheckpointFiles? files = null) : IDisposable
{
    private readonly SortedDictionary<long, ImpressionWindow> _windows = [];

    /// <summary>Windows that were dropped and that the last checkpoint still needs.</summary>
    private readonly List<ImpressionWindow> _dropped = [];
    private byte[] _read = [];
    private (long Window, StoredImpression Stored) _last;
    private int _captures;

    /// <summary>Bytes on disk.</summary>
    public long SpilledBytes { get; private set; }

    public StoredImpression Put(long window, ReadOnlySpan<byte> bytes)
    {
        if (!_windows.TryGetValue(window, out var to))
        {
            _windows[window] = to = new ImpressionWindow();
        }

        if (to.Blocks.Count == 0 || to.Blocks[^1].Memory is not { } block || block.Length - to.At < bytes.Length)
        {
            if (files is not null && to.Blocks.Count > to.Written)
            {
                Write(to);
            }

            MakeRoom(0);
            block = to.Begin(memory.Rent(bytes.Length));
        }

        bytes.CopyTo(block.AsSpan(to.At));
        to.At += bytes.Length;
        return new StoredImpression(to.Blocks.Count - 1, to.At - bytes.Length, bytes.Length);
    }

    /// <summary>An impression's bytes; valid until the next call.</summary>
    public ReadOnlySpan<byte> Get(long window, StoredImpression stored)
    {
        var from = _windows[window];
        ref readonly var block = ref CollectionsMarshal.AsSpan(from.Blocks)[stored.Block];
        if (block.Memory is { } bytes)
        {
            return bytes.AsSpan(stored.Offset, stored.Length);
        }

        if (_last != (window, stored))
        {
            if (_read.Length < stored.Length)
            {
                _read = GC.AllocateUninitializedArray<byte>(stored.Length);
            }

            from.Read(block.Position + stored.Offset, _read.AsSpan(0, stored.Length));
            _last = (window, stored);
        }

        return _read.AsSpan(0, stored.Length);
    }

    /// <summary>Drops windows before one, whole.</summary>
    public void DropBefore(long window)
    {
        while (_windows.Count > 0 && First() is var oldest && oldest < window)
        {
            var dropped = _windows[oldest];
            dropped.Release(memory);
            _windows.Remove(oldest);
            _last = default;
            if (dropped.Capture > 0)
            {
                _dropped.Add(dropped);
            }
            else
            {
                Delete(dropped);
            }
        }
    }

    /// <summary>Takes blocks out of memory until the budget has room for so many bytes, or only blocks in use are left.</summary>
    public void MakeRoom(long bytes)
    {
        if (!memory.IsOver(bytes))
        {
            return;
        }

        foreach (var window in _windows.Values.Reverse())
        {
            // The last block still takes bytes.
            for (; memory.IsOver(bytes) && window.Spilled < window.Blocks.Count - 1; window.Spilled++)
            {
                if (window.Spilled == window.Written)
                {
                    Write(window);
                }

                window.Spill(window.Spilled, memory);
            }
        }
    }

    /// <summary>Writes what a checkpoint needs; it holds once the files that are returned are on disk.</summary>
    public List<SafeFileHandle> Capture(CheckpointWriter to)
    {
        var written = new List<SafeFileHandle>();
        _captures++;
        to.Value(_windows.Count);
        foreach (var (number, window) in _windows)
        {
            window.Capture = _captures;
            to.Value(number);
            window.Save(to);
            if (window.File is { } file)
            {
                written.Add(file);
            }
        }

        return written;
    }

    /// <summary>Reads what <see cref="Capture"/> wrote, and checks the windows' files.</summary>
    /// <exception cref="InvalidDataException">A file does not hold what was written to it.</exception>
    public void Restore(CheckpointReader from)
    {
        _captures++;
        for (var count = from.Value<int>(); count > 0; count--)
        {
            var window = _windows[from.Value<long>()] = new ImpressionWindow { Capture = _captures };
            window.Load(from, files!, memory);
            SpilledBytes += window.FileBytes;
        }

        files!.KeepOnly([files.Checkpoint, .. _windows.Values.Where(w => w.Path is not null).Select(w => w.Path!)]);
    }

    /// <summary>The last capture has been published: what only older ones needed can go.</summary>
    public void Published()
    {
        foreach (var window in _dropped.FindAll(w => w.Capture < _captures))
        {
            _dropped.Remove(window);
            Delete(window);
        }
    }

    /// <summary>There is no checkpoint any more, and nothing is kept for one.</summary>
    public void Retired()
    {
        _dropped.ForEach(Delete);
        _dropped.Clear();
        foreach (var window in _windows.Values)
        {
            window.Capture = 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DropBefore(long.MaxValue);

        // The last checkpoint needs these.
        _dropped.ForEach(w => w.File?.Dispose());
        _dropped.Clear();
    }

    private long First()
    {
        foreach (var window in _windows.Keys)
        {
            return window;
        }

        return long.MaxValue;
    }

    private void Write(ImpressionWindow window)
    {
        window.File ??= Create(window);
        SpilledBytes += window.WriteNext();
    }

    private SafeFileHandle Create(ImpressionWindow window)
    {
        if (files is not null)
        {
            window.Path = files.NewWindow();
            return File.OpenHandle(window.Path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        }

        var path = Path.Combine(Path.GetTempPath(), $"monolith-pending-{Guid.NewGuid():N}");
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
        {
            // Without a name at once: it goes when the process does, however it ends.
            File.Delete(path);
        }

        return file;
    }

    private void Delete(ImpressionWindow window)
    {
        SpilledBytes -= window.FileBytes;
        window.File?.Dispose();
        if (window.Path is { } path)
        {
            File.Delete(path);
        }
    }
}
