using System.IO.Compression;
using Sylvan.Data.Csv;

namespace Monolith.Standalone.Replay;

/// <summary>Opens CSV files (optionally gzip) and turns what can be wrong with them into one clear message.</summary>
internal static class CsvFile
{
    /// <summary>Opens a file and reads its header.</summary>
    /// <exception cref="DataFileException">It is missing, empty or not readable.</exception>
    public static CsvDataReader Open(string path)
    {
        var name = Path.GetFileName(path);
        var stream = OpenStream(path);
        try
        {
            var text = new StreamReader(
                path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
                    ? new GZipStream(stream, CompressionMode.Decompress)
                    : stream);
            return CsvDataReader.Create(text, new CsvDataReaderOptions { Delimiter = ',', BufferSize = 1 << 16 });
        }
        catch (Exception e)
        {
            stream.Dispose();
            throw e switch
            {
                CsvMissingHeadersException => new DataFileException($"{name} is empty: its first line must name the columns", e),
                InvalidDataException => new DataFileException($"{name} is not a whole gzip file: {e.Message}", e),
                _ => new DataFileException($"{name} cannot be read: {e.Message}", e),
            };
        }
    }

    /// <summary>Goes to the next row.</summary>
    /// <param name="csv">The open file.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="rows">Rows read so far.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="DataFileException">The row is torn or the file is damaged.</exception>
    public static bool Advance(CsvDataReader csv, string path, long rows)
    {
        var name = Path.GetFileName(path);
        try
        {
            if (!csv.Read())
            {
                return false;
            }
        }
        catch (Exception e) when (e is InvalidDataException or CsvFormatException or IOException)
        {
            throw new DataFileException($"{name} cannot be read after row {rows}: {e.Message.TrimEnd('.')}", e);
        }

        return csv.RowFieldCount == csv.FieldCount ? true : throw new DataFileException(
            $"{name}, row {rows + 1} (after the header) has {csv.RowFieldCount} of {csv.FieldCount} fields; a torn last row "
            + "means that the file was cut off: take the row out or fetch the file again");
    }

    private static FileStream OpenStream(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataFileException($"{path} does not exist", e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new DataFileException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
