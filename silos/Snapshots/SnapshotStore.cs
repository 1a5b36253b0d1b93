using System.Buffers;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Sync;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Snapshots;

/// <summary>
/// The snapshots of one part: <c>&lt;root&gt;/&lt;model&gt;/&lt;part&gt;/&lt;epoch&gt;-&lt;sequence&gt;.snap</c>, the newest last in
/// the order of names. A file has its name only once it is complete and on the disk.
/// </summary>
/// <param name="root">The snapshot folder; replicas are told paths relative to it.</param>
/// <param name="part">The part.</param>
/// <param name="logger">Hears of damaged files.</param>
public sealed partial class SnapshotStore(string root, PartIdentity part, ILogger logger)
{
    /// <summary>Snapshots kept of a part: the newest, and two to go back to if it is damaged.</summary>
    public const int Kept = 3;

    private const string Extension = ".snap";
    private const string TemporaryExtension = ".tmp";
    private readonly string _folder = Path.Combine(root, part.Model, part.Folder);

    /// <summary>Snapshot files, newest first.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(_folder)
        ? [.. Directory.EnumerateFiles(_folder, "*" + Extension).OrderDescending(StringComparer.Ordinal)]
        : [];

    /// <summary>
    /// Opens the newest snapshot that is not damaged; damaged ones are passed over with a log line.
    /// </summary>
    /// <param name="layout">The layout that the part has now.</param>
    /// <returns>The snapshot and its path relative to the root; null when none was ever saved.</returns>
    /// <exception cref="InvalidDataException">All are damaged: starting from nothing must be somebody's decision.</exception>
    /// <exception cref="SnapshotLayoutException">It is of a specification that this one cannot continue.</exception>
    public (SnapshotFile File, string RelativePath)? OpenNewest(IReadOnlyList<string> layout)
    {
        var files = Files;
        foreach (var path in files)
        {
            SnapshotFile file;
            try
            {
                file = SnapshotFile.Open(path);
            }
            catch (InvalidDataException e)
            {
                LogDamaged(part, e.Message);
                continue;
            }

            if (file.Header.Model != part.Model || file.Header.Part != part.Folder || !file.Header.Layout.SequenceEqual(layout))
            {
                file.Dispose();
                throw SnapshotLayoutException.Between(path, file.Header, layout);
            }

            return (file, Path.GetRelativePath(root, path));
        }

        return files.Count == 0
            ? null
            : throw new InvalidDataException(
                $"All {files.Count} snapshots of {part} in {_folder} are damaged. Put back a good one, or remove the folder to "
                + "learn again from the oldest event that the log still has.");
    }

    /// <summary>
    /// Offsets of the snapshots kept, oldest first: what a restore may have to go back to. Those whose header cannot be read
    /// cannot be gone back to either and are left out.
    /// </summary>
    public IReadOnlyList<PartitionOffsets[]> KeptOffsets()
    {
        var offsets = new List<PartitionOffsets[]>();
        foreach (var path in Files.Take(Kept).Reverse())
        {
            try
            {
                offsets.Add(SnapshotFile.Peek(path).Partitions);
            }
            catch (InvalidDataException)
            {
                // Reported when it was, or will be, opened.
            }
        }

        return offsets;
    }

    /// <summary>Writes a snapshot completely, under a temporary name.</summary>
    /// <returns>For <see cref="Publish"/> or <see cref="Discard"/>.</returns>
    public string Write(SnapshotHeader header, IReadOnlyList<ReadOnlySequence<byte>> body)
    {
        ArgumentNullException.ThrowIfNull(header);
        Directory.CreateDirectory(_folder);
        var path = Path.Combine(_folder, NameOf(header) + TemporaryExtension);
        File.Delete(path); // what a crash left of an earlier attempt
        SnapshotFile.Write(path, header, body);
        return path;
    }

    /// <summary>Gives a written snapshot its name, durably, and removes those that are no longer needed.</summary>
    /// <returns>The path relative to the root.</returns>
    public string Publish(string temporary)
    {
        var path = temporary[..^TemporaryExtension.Length];
        File.Move(temporary, path, overwrite: true);
        DurableFolder.Flush(_folder);
        foreach (var old in Files.Skip(Kept).Concat(Abandoned(path)))
        {
            File.Delete(old);
        }

        return Path.GetRelativePath(root, path);
    }

    /// <summary>Removes a snapshot that was written but must not be published.</summary>
    public static void Discard(string temporary) => File.Delete(temporary);

    // What crashes left behind: temporary files older than what was just published.
    private IEnumerable<string> Abandoned(string published) =>
        Directory.EnumerateFiles(_folder, "*" + TemporaryExtension).Where(f => string.CompareOrdinal(f, published) < 0);

    // Fixed widths, so that the order of names is the order of time: an epoch is never below the one before.
    private static string NameOf(SnapshotHeader header) => $"{header.Epoch:D16}-{header.Sequence:D12}{Extension}";

    [LoggerMessage(LogLevel.Error, "Snapshot of {Part} refused, the one before it is used: {Reason}")]
    private partial void LogDamaged(PartIdentity part, string reason);
}
