using System.Buffers;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Sync;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Snapshots;

/// <summary>
/// The snapshots of one part: <c>&lt;root&gt;/&lt;model&gt;/&lt;part&gt;/&lt;epoch&gt;-&lt;sequence&gt;.snap</c>, the newest last in
/// the order of names. A file has its name only once it is complete and on the disk. An increment, <c>….increment.snap</c>, names
/// the files that it builds on, so that publishing it is one move; they stay as long as anything builds on them.
/// </summary>
/// <param name="root">The snapshot folder; replicas are told paths relative to it.</param>
/// <param name="part">The part.</param>
/// <param name="logger">Hears of damaged files.</param>
public sealed partial class SnapshotStore(string root, PartIdentity part, ILogger logger)
{
    /// <summary>Snapshots kept of a part, at least: the newest, and two to go back to if it is damaged.</summary>
    public const int Kept = 3;

    /// <summary>Full snapshots among them, at least: damage to one does not take all with it.</summary>
    public const int FullKept = 2;

    private const string Extension = ".snap";
    private const string IncrementExtension = ".increment" + Extension;
    private const string TemporaryExtension = ".tmp";
    private readonly string _folder = Path.Combine(root, part.Model, part.Folder);

    /// <summary>Snapshot files, newest first.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(_folder)
        ? [.. Directory.EnumerateFiles(_folder, "*" + Extension).OrderDescending(StringComparer.Ordinal)]
        : [];

    /// <summary>
    /// Opens the newest snapshot of which nothing is damaged or gone, with what it builds on; others are passed over with a log
    /// line.
    /// </summary>
    /// <param name="layout">The layout that the part has now.</param>
    /// <returns>The snapshot and its path relative to the root; null when none was ever saved.</returns>
    /// <exception cref="InvalidDataException">All are damaged: starting from nothing must be somebody's decision.</exception>
    /// <exception cref="SnapshotLayoutException">It is of a specification that this one cannot continue.</exception>
    public (SnapshotChain Chain, string RelativePath)? OpenNewest(IReadOnlyList<string> layout)
    {
        var files = Files;
        foreach (var path in files)
        {
            SnapshotChain chain;
            try
            {
                chain = SnapshotChain.Open(path);
            }
            catch (Exception e) when (e is InvalidDataException or FileNotFoundException)
            {
                LogRefused(part, path, e.Message);
                continue;
            }

            var header = chain.Header;
            if (header.Model != part.Model || header.Part != part.Folder || !header.Layout.SequenceEqual(layout))
            {
                chain.Dispose();
                throw SnapshotLayoutException.Between(path, header, layout);
            }

            return (chain, Path.GetRelativePath(root, path));
        }

        return files.Count == 0
            ? null
            : throw new InvalidDataException(
                $"All {files.Count} snapshots of {part} in {_folder} are damaged. Put back a good one, or remove the folder to "
                + "learn again from the oldest event that the log still has.");
    }

    /// <summary>
    /// Offsets of the oldest snapshot kept: what a restore may have to go back to. One whose header cannot be read cannot be gone
    /// back to either and is passed over. None when there is no snapshot.
    /// </summary>
    public PartitionOffsets[] OldestOffsets()
    {
        var files = Files;
        foreach (var path in files.Take(Needed(files)).Reverse())
        {
            try
            {
                return SnapshotFile.Peek(path).Partitions;
            }
            catch (InvalidDataException)
            {
                // Reported when it was, or will be, opened.
            }
        }

        return [];
    }

    /// <summary>
    /// Refuses to go on without the snapshot that replicas were told of: the folder is not the one that the part was saved to.
    /// </summary>
    /// <param name="published">The snapshot, relative to the root; empty: none was published.</param>
    /// <param name="restored">The snapshot that the part was restored from; null: none was found.</param>
    /// <exception cref="InvalidDataException">It is not there, nor a newer one.</exception>
    public void RequireVisible(string published, string? restored)
    {
        // A newer one may have taken its place without the head's knowledge, while Redis was away.
        var isNewer = restored is not null
            && string.CompareOrdinal(Path.GetFileName(restored), Path.GetFileName(published)) >= 0;
        if (published.Length > 0 && !isNewer && !File.Exists(Path.Combine(root, published)))
        {
            throw new InvalidDataException(
                $"Redis names the snapshot {published} of {part}, which is not in {root}: the folder may not be mounted, or is another "
                + $"one. Make the folder visible again. To give up what was learned, delete the key monolith:{{{part.Model}}}:shard:"
                + $"{part.SyncShard} in Redis; the part then learns again from the oldest event that the log still has.");
        }
    }

    /// <summary>Writes a snapshot completely, under a temporary name.</summary>
    /// <returns>For <see cref="Publish"/> or <see cref="Discard"/>.</returns>
    public string Write(SnapshotHeader header, IReadOnlyList<ReadOnlySequence<byte>> body)
    {
        ArgumentNullException.ThrowIfNull(header);
        Directory.CreateDirectory(_folder);
        var path = Path.Combine(_folder, NameOf(header) + TemporaryExtension);
        File.Delete(path); // what a crash left of an earlier attempt
        try
        {
            SnapshotFile.Write(path, header, body);
        }
        catch
        {
            File.Delete(path); // what is left of it would keep a full disk full
            throw;
        }

        return path;
    }

    /// <summary>Gives a written snapshot its name, durably, and removes those that are no longer needed.</summary>
    /// <returns>The path relative to the root.</returns>
    public string Publish(string temporary)
    {
        var path = temporary[..^TemporaryExtension.Length];
        File.Move(temporary, path, overwrite: true);
        DurableFolder.Flush(_folder);

        // The newest first: what builds on a file goes before it, also if this is cut off.
        var files = Files;
        foreach (var old in files.Skip(Needed(files)).Concat(Abandoned(path)))
        {
            File.Delete(old);
        }

        return Path.GetRelativePath(root, path);
    }

    /// <summary>Removes a snapshot that was written but must not be published.</summary>
    public static void Discard(string temporary) => File.Delete(temporary);

    // How many of the newest are kept; the last of them is a full one, so that all they build on is among them.
    private static int Needed(IReadOnlyList<string> files)
    {
        var full = 0;
        for (var i = 0; i < files.Count; i++)
        {
            var isFull = !files[i].EndsWith(IncrementExtension, StringComparison.Ordinal);
            full += isFull ? 1 : 0;
            if (isFull && full >= FullKept && i + 1 >= Kept)
            {
                return i + 1;
            }
        }

        return files.Count;
    }

    // What crashes left behind: temporary files older than what was just published.
    private IEnumerable<string> Abandoned(string published) =>
        Directory.EnumerateFiles(_folder, "*" + TemporaryExtension).Where(f => string.CompareOrdinal(f, published) < 0);

    // Fixed widths, so that the order of names is the order of time: an epoch is never below the one before.
    private static string NameOf(SnapshotHeader header) =>
        $"{header.Epoch:D16}-{header.Sequence:D12}{(header.BuildsOn is null ? Extension : IncrementExtension)}";

    [LoggerMessage(LogLevel.Error, "{Part} does not start from snapshot {Snapshot} but from the one before it: {Reason}")]
    private partial void LogRefused(PartIdentity part, string snapshot, string reason);
}
