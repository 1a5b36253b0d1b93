using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Monolith.Bench.Table;

/// <summary>
/// Time that this thread ran, page faults included: on a machine that others use too, it tells the table's time from theirs.
/// Elsewhere than on Linux, the time on the wall.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    /// <summary>Seconds since some moment.</summary>
    public static double Now
    {
        get
        {
            if (OperatingSystem.IsLinux() && GetTime(ThreadCpuTime, out var time) == 0)
            {
                return time.Seconds + (time.Nanoseconds * 1e-9);
            }

            return Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
