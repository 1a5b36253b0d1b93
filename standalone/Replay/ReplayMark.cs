using System.Globalization;
using System.Text;
using Monolith.Standalone.Hosting;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Replay;

/// <summary>
/// Remembers in a data folder with how many workers a file was replayed: each number of workers has partitions of its own,
/// and a second number would learn the whole file a second time.
/// </summary>
internal static class ReplayMark
{
    /// <summary>Sets the mark, or compares with it.</summary>
    /// <exception cref="DataFolderException">The file was replayed with another number of workers.</exception>
    public static void Check(DataFolder folder, string identity, int workers)
    {
        var file = Path.Combine(folder.Path, "replays", identity.Replace(':', '.') + ".workers");
        if (!File.Exists(file))
        {
            AtomicFile.Write(file, s => s.Write(Encoding.UTF8.GetBytes(workers.ToString(CultureInfo.InvariantCulture))));
            return;
        }

        var before = File.ReadAllText(file).Trim();
        if (before != workers.ToString(CultureInfo.InvariantCulture))
        {
            throw new DataFolderException(
                $"data folder {folder.Path} has learned from this file with --workers {before}: with --workers {workers} it would learn "
                + $"from it twice; use --workers {before}, or another folder");
        }
    }
}
