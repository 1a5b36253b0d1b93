using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TorchSharp;

namespace Monolith.Trainer.Native;

/// <summary>
/// Loads LibTorch. Everything that touches TorchSharp calls <see cref="Load"/> first; the second call and all others are free.
/// </summary>
/// <remarks>
/// TorchSharp's Linux library is built with GCC 13 and asks libstdc++ for version <c>GLIBCXX_3.4.32</c>, which Debian 12,
/// Ubuntu 22.04 and RHEL 9 lack; it uses no symbol of that version that any relocation refers to. Where the load fails for
/// that reason alone, a copy in memory with the requirement marked weak is loaded in its place; the dynamic linker then
/// gives it to everybody who asks for the library by its name. Nothing on disk changes.
/// </remarks>
public static class TorchRuntime
{
    private const string Wrapper = "libLibTorchSharp.so";
    private const string TooNew = "GLIBCXX_3.4.32";

    // What the wrapper needs, in the order of their own needs; a copy in memory has no folder to look for them in.
    private static readonly string[] Needed = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];
    private static readonly Lazy<string?> Failure = new(TryLoad);

    /// <summary>Loads LibTorch, once a process.</summary>
    /// <exception cref="PlatformNotSupportedException">It cannot be loaded here; the message says why and what to do.</exception>
    public static void Load()
    {
        if (Failure.Value is { } failure)
        {
            throw new PlatformNotSupportedException(failure);
        }
    }

    private static string? TryLoad()
    {
        if (OperatingSystem.IsLinux() && TryLoadOnLinux() is { } reason)
        {
            return $"LibTorch cannot be loaded on {RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier}): {reason}";
        }

        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return null;
        }
        catch (Exception e) when (e is NotSupportedException or DllNotFoundException or TypeInitializationException)
        {
            return $"LibTorch cannot be loaded on {RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier}). " +
                $"The trainer runs on Linux x64 with glibc, Windows x64 and macOS arm64. {e.GetBaseException().Message}";
        }
    }

    [SupportedOSPlatform("linux")]
    private static string? TryLoadOnLinux()
    {
        if (FindWrapper() is not { } wrapper)
        {
            return $"{Wrapper} lies in none of {string.Join(", ", Folders())}. Build on this platform, or publish with -r linux-x64.";
        }

        var folder = Path.GetDirectoryName(wrapper)!;
        try
        {
            // LibTorch may lie in another folder than its wrapper: whoever comes first in the search path wins.
            foreach (var library in Needed)
            {
                NativeLibrary.Load(Find(library) ?? Path.Combine(folder, library));
            }

            NativeLibrary.Load(wrapper);
            return null;
        }
        catch (DllNotFoundException e)
        {
            return e.Message.Contains(TooNew, StringComparison.Ordinal) ? LoadPatched(wrapper) : e.Message;
        }
    }

    [SupportedOSPlatform("linux")]
    private static string? LoadPatched(string wrapper)
    {
        const string advice = $"its libstdc++ is older than GCC 13's ({TooNew}); a newer one helps: Debian 13, Ubuntu 24.04, or the libstdc++6 of GCC 13";
        try
        {
            var library = File.ReadAllBytes(wrapper);
            if (!ElfVersions.MakeWeak(library, TooNew))
            {
                return $"{advice}. {wrapper} asks for it in a way this program does not know.";
            }

            return MemoryLibrary.TryLoad(Wrapper, library, out _, out var reason) ? null : $"{advice}. A patched copy did not load: {reason}";
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return $"{advice}. {wrapper} could not be patched: {e.Message}";
        }
    }

    /// <summary>TorchSharp's native library of this platform where the runtime would find it; null when it is not there.</summary>
    internal static string? FindWrapper() => Find(Wrapper);

    private static string? Find(string library) =>
        Folders().Select(f => Path.Combine(f, library)).FirstOrDefault(File.Exists);

    // Where the runtime looks for native libraries: beside a published application, and the folders of its packages.
    private static IEnumerable<string> Folders()
    {
        var searched = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        return searched.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(AppContext.BaseDirectory)
            .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"))
            .Select(Path.TrimEndingDirectorySeparator)
            .Distinct();
    }
}
