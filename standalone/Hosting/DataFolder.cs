using System.Globalization;
using System.Text;
using Monolith.Contracts.Specification;
using Monolith.Standalone.CommandLine;
using Monolith.Standalone.Reports;

namespace Monolith.Standalone.Hosting;

/// <summary>
/// A data folder held by this process: <c>version</c> says which layout it has, <c>lock</c> is held exclusively while it is
/// in use, and <c>pid</c> says by whom. The system releases the lock however the process ends.
/// </summary>
public sealed class DataFolder : IDisposable
{
    /// <summary>The layout this build reads and writes.</summary>
    public const int LayoutVersion = 1;

    private readonly FileStream _lock;
    private readonly bool _temporary;

    private DataFolder(string path, FileStream held, bool temporary)
    {
        Path = path;
        _lock = held;
        _temporary = temporary;
    }

    /// <summary>Full path of the folder.</summary>
    public string Path { get; }

    /// <summary>The event log's folder.</summary>
    public string Log => System.IO.Path.Combine(Path, "log");

    /// <summary>Snapshots of shards, dense parameters and metrics.</summary>
    public string Snapshots => System.IO.Path.Combine(Path, "snapshots");

    /// <summary>The joiner's checkpoints and pending impressions.</summary>
    public string Joiner => System.IO.Path.Combine(Path, "joiner");

    /// <summary>Creates the folder where it is missing, checks its version and takes its lock.</summary>
    /// <exception cref="DataFolderException">Another process uses it, its layout is another, or it is not a data folder.</exception>
    public static DataFolder Open(string path) => Open(System.IO.Path.GetFullPath(path), temporary: false);

    /// <summary>A new folder under the system's temporary folder, deleted with everything in it when disposed.</summary>
    public static DataFolder Temporary() => Open(Directory.CreateTempSubdirectory("monolith-").FullName, temporary: true);

    /// <summary>
    /// Remembers what of a specification its stored parameters depend on, and refuses another one of that name later.
    /// </summary>
    /// <exception cref="DataFolderException">The folder holds the model with another layout; the message says what differs.</exception>
    public void CheckModel(ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var file = System.IO.Path.Combine(Path, $"{spec.Name}.layout");
        var layout = SpecLayout.Of(spec);
        if (!File.Exists(file))
        {
            AtomicFile.Write(file, stream => stream.Write(Encoding.UTF8.GetBytes(string.Join('\n', layout.Lines) + "\n")));
            return;
        }

        var differences = layout.Differences(File.ReadAllLines(file));
        if (differences.Count > 0)
        {
            throw new DataFolderException(
                $"data folder {Path} holds model '{spec.Name}' with another layout, so what was learned does not fit "
                + $"(name a new folder, or take these back):\n  {string.Join("\n  ", differences)}");
        }
    }

    /// <summary>
    /// Remembers from which event log this folder learns: its parameters know how far they have read it, which means nothing
    /// on another one.
    /// </summary>
    /// <param name="log"><c>embedded</c>, or <c>kafka</c> and the cluster's id.</param>
    /// <exception cref="DataFolderException">The folder has learned from another one.</exception>
    public void CheckLog(string log)
    {
        var file = System.IO.Path.Combine(Path, "events");
        // Folders of before this file have a log of their own or none yet.
        var known = File.Exists(file) ? File.ReadAllText(file).Trim() : Directory.Exists(Log) ? "embedded" : null;
        if (known is null)
        {
            AtomicFile.Write(file, stream => stream.Write(Encoding.UTF8.GetBytes(log + "\n")));
        }
        else if (known != log)
        {
            throw new DataFolderException(
                $"data folder {Path} learns from {Describe(known)}, and is asked to go on with {Describe(log)}, whose offsets mean "
                + "something else: use the same one again, or name a new folder");
        }
    }

    /// <summary>Releases the lock; deletes a temporary folder.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        if (_temporary && Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    private static DataFolder Open(string path, bool temporary)
    {
        if (File.Exists(path))
        {
            throw new DataFolderException($"data folder {path} is a file: name a folder");
        }

        try
        {
            if (!temporary && IsForeign(path))
            {
                throw new DataFolderException(
                    $"{path} is not empty and is not a Monolith data folder (it has no file 'version'): name a new or empty folder");
            }

            Directory.CreateDirectory(path);
            var held = Lock(path);
            try
            {
                CheckVersion(System.IO.Path.Combine(path, "version"), path);
                return new DataFolder(path, held, temporary);
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataFolderException($"data folder {path} cannot be used: {exception.Message}", exception);
        }
    }

    private static string Describe(string log) =>
        log == "embedded" ? "the event log inside it (no --kafka)" : $"Kafka cluster {log.Split(' ')[^1]} (--kafka)";

    private static bool IsForeign(string path) =>
        Directory.Exists(path)
        && !File.Exists(System.IO.Path.Combine(path, "version"))
        && Directory.EnumerateFileSystemEntries(path).Any(e => System.IO.Path.GetFileName(e) is not ("lock" or "pid"));

    private static FileStream Lock(string path)
    {
        // Who holds the lock stands in a file of its own: a file opened without sharing cannot be read by anybody else.
        var file = System.IO.Path.Combine(path, "lock");
        var holder = System.IO.Path.Combine(path, "pid");
        FileStream held;
        try
        {
            held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (File.Exists(file))
        {
            var pid = File.Exists(holder) ? File.ReadAllText(holder).Trim() : "(unknown)";
            throw new DataFolderException(
                $"data folder {path} is in use by process {pid}: stop that process, or name another folder", exception);
        }

        File.WriteAllText(holder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        return held;
    }

    private static void CheckVersion(string file, string path)
    {
        if (!File.Exists(file))
        {
            AtomicFile.Write(
                file, stream => stream.Write(Encoding.ASCII.GetBytes(LayoutVersion.ToString(CultureInfo.InvariantCulture) + "\n")));
            return;
        }

        var found = File.ReadAllText(file).Trim();
        if (found != LayoutVersion.ToString(CultureInfo.InvariantCulture))
        {
            throw new DataFolderException(
                $"data folder {path} has version '{found}', and this build reads version {LayoutVersion}: "
                + "run the build that wrote it, or name a new folder");
        }
    }
}

/// <summary>A data folder cannot be used; the message says why and what to do.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">What went wrong underneath.</param>
public sealed class DataFolderException(string message, Exception? inner = null) : OperatorException(message, inner);
