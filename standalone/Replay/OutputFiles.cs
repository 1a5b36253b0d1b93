namespace Monolith.Standalone.Replay;

/// <summary>Keeps what a command writes off what it reads, however the paths are spelled.</summary>
internal static class OutputFiles
{
    private static readonly string[] _ownFiles = ["version", "lock", "pid", "events"];
    private static readonly string[] _ownFolders = ["log", "snapshots", "joiner", "replays"];

    /// <summary>Refuses an output that is an input, the other output or a file of the data folder.</summary>
    /// <exception cref="IOException">It is one; the message names both.</exception>
    public static void Check(ReplayOptions options)
    {
        var taken = new List<(string Name, string Path)> { ("--model", options.Model), ("--data", options.Data) };
        foreach (var (name, output) in new[] { ("--report", options.Report), ("--predictions", options.Predictions) })
        {
            if (output is null)
            {
                continue;
            }

            var path = Resolve(output);
            foreach (var (other, file) in taken)
            {
                if (Resolve(file) == path)
                {
                    throw new IOException($"{name} {output} is the file of {other} and would replace it; choose another name");
                }
            }

            if (options.DataFolder is { } folder && IsOwn(Path.GetRelativePath(Resolve(folder), path)))
            {
                throw new IOException($"{name} {output} belongs to the data folder {folder} and would spoil it; choose another name");
            }

            taken.Add((name, output));
        }
    }

    /// <summary>The full path with the links in it followed, also where the end of it does not exist yet.</summary>
    public static string Resolve(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent)
        {
            return full;
        }

        var here = new FileInfo(Path.Combine(Resolve(parent), Path.GetFileName(full)));
        return here.LinkTarget is null ? here.FullName
            : here.ResolveLinkTarget(returnFinalTarget: true) is { } target ? Resolve(target.FullName)
            : here.FullName;
    }

    private static bool IsOwn(string relative)
    {
        var parts = relative.Split(Path.DirectorySeparatorChar);
        return _ownFolders.Contains(parts[0]) || (parts.Length == 1
            && (_ownFiles.Contains(parts[0]) || relative.EndsWith(".layout", StringComparison.Ordinal)));
    }
}
