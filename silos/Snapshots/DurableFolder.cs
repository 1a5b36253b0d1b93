using System.Runtime.InteropServices;

namespace Monolith.Silos.Snapshots;

/// <summary>Makes names durable: a file that was moved is there after a power cut only once its folder was flushed too.</summary>
internal static partial class DurableFolder
{
    private const int ReadOnly = 0; // a folder is opened like a file

    /// <summary>Flushes a folder's entries. On Windows a move is durable without.</summary>
    public static void Flush(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var handle = Open(folder, ReadOnly);
        if (handle < 0)
        {
            throw new IOException($"Folder {folder} cannot be opened to flush it (error {Marshal.GetLastPInvokeError()}).");
        }

        var failed = Sync(handle) != 0 ? Marshal.GetLastPInvokeError() : 0;
        _ = Close(handle);
        if (failed != 0)
        {
            throw new IOException($"Folder {folder} cannot be flushed (error {failed}).");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
