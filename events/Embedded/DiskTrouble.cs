namespace Monolith.Events.Embedded;

/// <summary>Says in an operator's words why a disk takes nothing, and finds out whether it does again.</summary>
internal static class DiskTrouble
{
    private static readonly string[] Temporary =
        ["no space left", "not enough space", "quota exceeded", "read-only file system", "permission denied"];

    /// <summary>What is wrong and what to do.</summary>
    /// <param name="e">What the disk, or RocksDB, answered.</param>
    /// <param name="folder">The folder that was written to.</param>
    public static string Explain(Exception e, string folder)
    {
        bool Says(string words) => e.Message.Contains(words, StringComparison.OrdinalIgnoreCase);
        return e is DirectoryNotFoundException ? $"{e.Message} Put it back and restart the service; events are refused meanwhile."
            : Says("no space left") || Says("not enough space") ? $"The disk that holds '{folder}' is full: make room; the log goes on by itself."
            : Says("quota exceeded") ? $"The disk quota of '{folder}' is used up: make room or raise it; the log goes on by itself."
            : Says("read-only file system") ? $"The file system of '{folder}' is read-only: make it writable; the log goes on by itself."
            : Says("file too large") ? $"A file in '{folder}' would exceed this process's file size limit (ulimit -f): raise it and restart the service."
            : e is UnauthorizedAccessException || Says("permission denied")
                ? $"This process may not write in '{folder}': give it the right to; the log goes on by itself."
            : $"Writing in '{folder}' failed: {e.Message}";
    }

    /// <summary>Whether the cause may go away while the process runs, without anything being lost.</summary>
    public static bool IsTemporary(Exception e) => e is UnauthorizedAccessException || Temporary.Any(
        words => e.Message.Contains(words, StringComparison.OrdinalIgnoreCase));

    /// <summary>Writes and removes a file, flushed.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public static void Probe(string folder, int bytes)
    {
        var file = Path.Combine(folder, "probe.tmp");
        try
        {
            using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var block = new byte[1 << 20];
            for (var written = 0; written < bytes; written += block.Length)
            {
                stream.Write(block);
            }

            stream.Flush(flushToDisk: true);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
