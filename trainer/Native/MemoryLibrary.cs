using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Monolith.Trainer.Native;

/// <summary>Loads a library from memory: no file is written, so nothing can be half-written, shared or left behind.</summary>
[SupportedOSPlatform("linux")]
internal static partial class MemoryLibrary
{
    private const uint CloseOnExec = 1; // MFD_CLOEXEC

    /// <summary>Loads the bytes of a shared library for the life of the process.</summary>
    /// <param name="name">Shown in the process's memory map; up to 200 characters.</param>
    /// <param name="library">The file's contents.</param>
    /// <param name="handle">The loaded library.</param>
    /// <param name="reason">Why it could not be loaded.</param>
    public static bool TryLoad(string name, ReadOnlySpan<byte> library, out nint handle, [NotNullWhen(false)] out string? reason)
    {
        handle = 0;
        var descriptor = MemfdCreate(name, CloseOnExec);
        if (descriptor < 0)
        {
            reason = $"memfd_create: {Marshal.GetLastPInvokeErrorMessage()}";
            return false;
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            RandomAccess.Write(file, library, 0);
            handle = NativeLibrary.Load(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{descriptor}"));

            // Stays open, like the library: the loader knows libraries by path, and would answer the next bytes that get
            // this descriptor's number with this library.
            file.SetHandleAsInvalid();
            reason = null;
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException)
        {
            file.Dispose();
            reason = e.Message;
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemfdCreate(string name, uint flags);
}
