namespace Monolith.Standalone.Reports;

/// <summary>Writes files that are either whole or not there.</summary>
internal static class AtomicFile
{
    /// <summary>Makes sure that a file can be written there, before hours are spent on what goes into it.</summary>
    /// <exception cref="IOException">It cannot; the message says why.</exception>
    public static void CheckWritable(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            if (Directory.Exists(full))
            {
                throw new IOException("it is a folder");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            var temporary = $"{full}.{Environment.ProcessId}.tmp";
            File.WriteAllBytes(temporary, []);
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>
    /// Writes beside the target, flushes to disk and renames over it: a reader, or a crash, sees the old file or the new one.
    /// </summary>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var temporary = $"{full}.{Environment.ProcessId}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
