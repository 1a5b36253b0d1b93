namespace Monolith.Ingestion.Joining.Checkpoints;

/// <summary>The files of one partition: its checkpoint, the one that is being written, and pending impressions by window.</summary>
internal sealed class CheckpointFiles(string folder)
{
    private readonly string _unfinished = Path.Combine(folder, "checkpoint.new");

    /// <summary>The checkpoint; it is whole whenever it is there.</summary>
    public string Checkpoint { get; } = Path.Combine(folder, "checkpoint");

    /// <summary>Publishes a checkpoint in the place of the last one; both are whole at any instant.</summary>
    public void Publish(CheckpointWriter checkpoint)
    {
        Directory.CreateDirectory(folder);
        checkpoint.Save(_unfinished);
        File.Move(_unfinished, Checkpoint, overwrite: true);
    }

    /// <summary>Deletes the checkpoint; windows are their store's.</summary>
    public void Unpublish()
    {
        foreach (var path in new[] { _unfinished, Checkpoint }.Where(File.Exists))
        {
            File.Delete(path);
        }
    }

    /// <summary>A name nobody has used: what an older checkpoint names is never written over.</summary>
    public string NewWindow()
    {
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, $"{Guid.NewGuid():N}.impressions");
    }

    public string Window(string name) => Path.Combine(folder, name);

    /// <summary>Deletes everything that is not named: what a crash left behind, or a checkpoint that is of no use.</summary>
    public void KeepOnly(params IEnumerable<string> paths)
    {
        var keep = paths.ToHashSet(StringComparer.Ordinal);
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.EnumerateFiles(folder).Where(p => !keep.Contains(p)).ToArray())
        {
            File.Delete(path);
        }
    }
}
