using System.Runtime.InteropServices;

namespace Monolith.Embeddings.Memory;

/// <summary>Address space and advice from the system; elsewhere than on Linux, plain aligned memory.</summary>
internal static unsafe partial class NativePages
{
    private const int ReadWrite = 3;
    private const int PrivateAnonymousNoReserve = 0x02 | 0x20 | 0x4000;
    private const int DontNeed = 4;
    private const int HugePage = 14;
    private const int NoHugePage = 15;

    /// <summary>Whether address space can be had apart from memory.</summary>
    public static bool CanReserve { get; } = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>Address space without memory behind it yet; never given back, only its memory is.</summary>
    public static byte* Reserve(nuint bytes, nuint alignment)
    {
        var start = Map(null, bytes + alignment, ReadWrite, PrivateAnonymousNoReserve, -1, 0);
        if (start == (void*)-1)
        {
            throw new InsufficientMemoryException($"the system gave no address space of {bytes >> 20} MiB");
        }

        return (byte*)(((nuint)start + alignment - 1) & ~(alignment - 1));
    }

    /// <summary>Gives memory back and keeps the address space; it reads as zero afterwards.</summary>
    public static void Release(byte* start, nuint bytes) => _ = Advise(start, bytes, DontNeed);

    /// <summary>Asks for huge pages, or for small ones where little of the memory will be touched.</summary>
    public static void PreferHuge(byte* start, nuint bytes, bool huge) => _ = Advise(start, bytes, huge ? HugePage : NoHugePage);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* at, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* at, nuint length, int advice);
}
