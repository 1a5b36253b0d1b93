using System.Collections.Immutable;
using System.IO.Compression;
using Sylvan.Data.Csv;

namespace Monolith.Standalone.Replay;

/// <summary>
/// The rows of a CSV file (gzip or not), one after another, with the line they stand on; what can be wrong with a file
/// becomes one clear message.
/// </summary>
internal sealed class CsvRows : IDisposable
{
    /// <summary>Characters that a row may have: what bounds memory where a quote is never closed.</summary>
    public const int RowMax = 1 << 20;

    private readonly CsvDataReader _csv;
    private readonly FileStream _stream;
    private readonly ImmutableArray<string> _missing;
    private long _nextLine = 2;

    private CsvRows(CsvDataReader csv, FileStream stream, string file, ImmutableArray<string> missing)
    {
        _csv = csv;
        _stream = stream;
        _missing = missing;
        File = file;
        var header = new string[csv.FieldCount];
        for (var i = 0; i < header.Length; i++)
        {
            header[i] = csv.GetName(i);
        }

        Header = header;
        if (header.Distinct().Count() != header.Length)
        {
            var twice = header.GroupBy(h => h).First(g => g.Count() > 1).Key;
            throw new DataFileException($"{file} has two columns '{twice}': each must have a name of its own");
        }
    }

    /// <summary>The file's name, for messages.</summary>
    public string File { get; }

    /// <summary>Names of the columns.</summary>
    public string[] Header { get; }

    /// <summary>Line of the current row, from 1.</summary>
    public long Line { get; private set; } = 1;

    /// <summary>Share of the file's bytes that have been read, 0 to 1.</summary>
    public double Progress => _stream.Length == 0 ? 1 : (double)_stream.Position / _stream.Length;

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="path">The file.</param>
    /// <param name="missing">Spellings of a missing value: fields with one of them read as empty.</param>
    /// <exception cref="DataFileException">It is missing, empty or not readable.</exception>
    public static CsvRows Open(string path, ImmutableArray<string> missing = default)
    {
        var file = Path.GetFileName(path);
        var stream = OpenStream(path);
        try
        {
            // The first two bytes of gzip say so, whatever the file is called.
            var isGzip = stream.ReadByte() == 0x1f && stream.ReadByte() == 0x8b;
            stream.Position = 0;
            var text = new Utf8Reader(isGzip ? new GZipStream(stream, CompressionMode.Decompress) : stream, file);

            // A row that begins with '#' is a row: the parser's comments begin with a character that the reader refuses.
            var options = new CsvDataReaderOptions
            {
                Delimiter = ',',
                Comment = '\0',
                BufferSize = 1 << 16,
                MaxBufferSize = RowMax,
                OwnsReader = true,
            };
            return new CsvRows(
                CsvDataReader.Create(text, options),
                stream,
                file,
                missing.IsDefault ? [] : missing);
        }
        catch (Exception e)
        {
            stream.Dispose();
            throw e switch
            {
                DataFileException => e,
                CsvMissingHeadersException => new DataFileException($"{file} is empty: its first line must name the columns"),
                CsvRecordTooLargeException => new DataFileException(
                    $"{file}, line 1 or 2: the row has more than {RowMax} characters, the most allowed; is a quote not closed?", e),
                InvalidDataException => new DataFileException($"{file} is not a whole gzip file: {e.Message}", e),
                _ => new DataFileException($"{file} cannot be read: {e.Message}", e),
            };
        }
    }

    /// <summary>Goes to the next row.</summary>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="DataFileException">The row is torn or the file is damaged.</exception>
    public bool Advance()
    {
        try
        {
            if (!_csv.Read())
            {
                return false;
            }
        }
        catch (CsvRecordTooLargeException e)
        {
            throw new DataFileException(
                $"{File}, line {_nextLine}: the row has more than {RowMax} characters, the most allowed; is a quote not closed?", e);
        }
        catch (Exception e) when (e is InvalidDataException or CsvFormatException or IOException)
        {
            throw new DataFileException($"{File} cannot be read after line {Line}: {e.Message.TrimEnd('.')}", e);
        }

        // A quoted field may hold line breaks; the record ends before its own.
        Line = _nextLine;
        _nextLine += 1 + _csv.GetRawRecordSpan().TrimEnd("\r\n").Count('\n');
        if (_csv.RowFieldCount != _csv.FieldCount)
        {
            throw new DataFileException(
                $"{File}, line {Line} has {_csv.RowFieldCount} of {_csv.FieldCount} fields; if it is the last line the file was "
                + "cut off: take the line out or fetch the file again");
        }

        return true;
    }

    /// <summary>A field of the current row; empty where it is missing.</summary>
    public ReadOnlySpan<char> Field(int column)
    {
        var field = _csv.GetFieldSpan(column);
        foreach (var spelling in _missing)
        {
            if (field.SequenceEqual(spelling))
            {
                return default;
            }
        }

        return field;
    }

    /// <inheritdoc/>
    public void Dispose() => _csv.Dispose();

    private static FileStream OpenStream(string path)
    {
        if (Directory.Exists(path))
        {
            throw new DataFileException($"{path} is a folder; a data file is wanted");
        }

        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataFileException($"{path} does not exist (seen from {Environment.CurrentDirectory})");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new DataFileException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
