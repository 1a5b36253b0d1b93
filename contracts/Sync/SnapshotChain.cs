namespace Monolith.Contracts.Sync;

/// <summary>
/// A snapshot with all that it builds on: a full one, and increments in the order in which they were taken. All of them are
/// checked before any is read, so a chain is whole or an error.
/// </summary>
public sealed class SnapshotChain : IDisposable
{
    private readonly List<SnapshotFile> _files = [];

    private SnapshotChain()
    {
    }

    /// <summary>The files in the order to read them.</summary>
    public IReadOnlyList<SnapshotFile> Files => _files;

    /// <summary>What it is of, with the offsets of the newest file.</summary>
    public SnapshotHeader Header => _files[^1].Header;

    /// <summary>Checks a snapshot and what it builds on, and opens them.</summary>
    /// <param name="path">A full snapshot or an increment.</param>
    /// <exception cref="InvalidDataException">One of the files is damaged, or of another part; the message says which.</exception>
    /// <exception cref="FileNotFoundException">One of the files is gone.</exception>
    public static SnapshotChain Open(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        var newest = SnapshotFile.Open(path);
        var chain = new SnapshotChain();
        try
        {
            foreach (var name in newest.Header.BuildsOn ?? [])
            {
                var file = SnapshotFile.Open(Path.Combine(folder, name));
                chain._files.Add(file);
                if ((file.Header.Model, file.Header.Part) != (newest.Header.Model, newest.Header.Part)
                    || !file.Header.Layout.SequenceEqual(newest.Header.Layout))
                {
                    throw new InvalidDataException($"Snapshot {path} builds on {name}, which is of another part or specification.");
                }
            }

            chain._files.Add(newest);
            return chain;
        }
        catch
        {
            newest.Dispose();
            chain.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(f => f.Dispose());
}
