using System.Diagnostics;

namespace Monolith.Bench.Events;

/// <summary>The most memory this process had resident since the last reset.</summary>
internal static class PeakMemory
{
    public static long Bytes
    {
        get
        {
            using var self = Process.GetCurrentProcess();
            return self.PeakWorkingSet64;
        }
    }

    /// <summary>Gives unused memory back and starts over, where the system can (Linux).</summary>
    public static void Reset()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (OperatingSystem.IsLinux())
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
    }
}
