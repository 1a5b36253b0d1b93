using System.Buffers;
using System.Text.Unicode;

namespace Monolith.Standalone.Replay;

/// <summary>
/// Decodes a data file that must be UTF-8: bytes that are not are refused with their line and never replaced, because two
/// ids that differ in such a byte would become one.
/// </summary>
/// <param name="stream">The bytes of the text; disposed with the reader.</param>
/// <param name="file">The file's name, for messages.</param>
internal sealed class Utf8Reader(Stream stream, string file) : TextReader
{
    private readonly byte[] _bytes = new byte[1 << 16];
    private int _start;
    private int _end;
    private long _line = 1;
    private bool _isBegun;
    private bool _isEnded;

    /// <inheritdoc/>
    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override int Read()
    {
        Span<char> one = stackalloc char[2];
        return Read(one[..1]) == 0 ? -1 : one[0];
    }

    /// <inheritdoc/>
    public override int Read(Span<char> buffer)
    {
        while (true)
        {
            // A letter takes up to four bytes, so fewer may be the beginning of one.
            if (_end - _start < 4 && !_isEnded)
            {
                Fill();
            }

            var status = Utf8.ToUtf16(
                _bytes.AsSpan(_start, _end - _start), buffer, out var read, out var written, replaceInvalidSequences: false, isFinalBlock: _isEnded);
            var text = buffer[..written];
            var nul = text.IndexOf('\0');
            _line += (nul < 0 ? text : text[..nul]).Count('\n');
            _start += read;
            if (nul >= 0)
            {
                throw new DataFileException(
                    $"{file}, line {_line} holds a zero byte: it is not a text file, or is UTF-16; convert it to UTF-8");
            }

            if (status == OperationStatus.InvalidData && written == 0)
            {
                throw new DataFileException(
                    $"{file}, line {_line} is not UTF-8 (byte 0x{_bytes[_start]:x2}); convert the file, "
                    + "for example with 'iconv -f latin1 -t utf-8'");
            }

            if (written > 0 || buffer.IsEmpty || (_isEnded && _start == _end))
            {
                return written;
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Fill()
    {
        _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
        (_start, _end) = (0, _end - _start);
        while (_end < 4 && !_isEnded)
        {
            var read = stream.Read(_bytes, _end, _bytes.Length - _end);
            _end += read;
            _isEnded = read == 0;
        }

        if (!_isBegun)
        {
            _isBegun = true;
            CheckBeginning(_bytes.AsSpan(0, _end));
        }
    }

    private void CheckBeginning(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("\uFEFF"u8))
        {
            _start = 3;
            return;
        }

        var kind = bytes.StartsWith([(byte)0xff, (byte)0xfe]) || bytes.StartsWith([(byte)0xfe, (byte)0xff]) ? "UTF-16 text; convert it to UTF-8"
            : bytes.StartsWith("PK\x03\x04"u8) ? "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV"
            : bytes.StartsWith("PAR1"u8) ? "a Parquet file; convert it to CSV"
            : bytes.StartsWith("{\""u8) ? "JSON lines; convert it to CSV"
            : null;
        if (kind is not null)
        {
            throw new DataFileException($"{file} is {kind}");
        }
    }
}
