using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text.Json;

namespace Monolith.Contracts.Sync;

/// <summary>
/// A snapshot of a part: its state and its offsets in one file. Silos write it, silos and replicas read it.
/// </summary>
/// <remarks>
/// Little-endian: <c>"MONOSNAP", version u32, header length u32, header (JSON, <see cref="SnapshotHeader"/>), body, body
/// length u64, XxHash128 of all before</c>. It is opened only once the whole of it has been checked, so that a torn or
/// flipped bit is an error and never a row.
/// </remarks>
public sealed class SnapshotFile : IDisposable
{
    private const uint FormatVersion = 1;
    private const int TrailerBytes = 8 + 16;
    private const int HeaderBytesMax = 64 << 20;
    private readonly long _bodyEnd;

    private SnapshotFile(FileStream body, SnapshotHeader header, long bodyEnd)
    {
        Body = body;
        Header = header;
        _bodyEnd = bodyEnd;
    }

    /// <summary>What it is of.</summary>
    public SnapshotHeader Header { get; }

    /// <summary>The state, from its first byte; the reader knows where it ends (<see cref="RequireEnd"/>).</summary>
    public Stream Body { get; }

    private static ReadOnlySpan<byte> Magic => "MONOSNAP"u8;

    /// <summary>
    /// Writes a snapshot and returns once it is on the disk. The caller gives it its final name. Where that fails nothing stays.
    /// </summary>
    /// <param name="path">A new file.</param>
    /// <param name="header">What it is of.</param>
    /// <param name="body">Its state, in pieces.</param>
    public static void Write(string path, SnapshotHeader header, params IReadOnlyList<ReadOnlySequence<byte>> body)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(body);
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        try
        {
            using (file)
            {
                WriteTo(file, header, body);
            }
        }
        catch
        {
            File.Delete(path); // the disk may be full, and nobody else knows this name
            throw;
        }
    }

    /// <summary>Checks a snapshot from its first byte to its last and opens it.</summary>
    /// <exception cref="InvalidDataException">It is damaged or of another format; the message says what is wrong.</exception>
    public static SnapshotFile Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
        try
        {
            var bodyLength = Verify(file);
            var header = ReadHeader(file);
            if (file.Position + bodyLength + TrailerBytes != file.Length)
            {
                throw new InvalidDataException($"Snapshot {path} is damaged: its lengths do not add up.");
            }

            return new SnapshotFile(file, header, file.Position + bodyLength);
        }
        catch (Exception e) when (e is JsonException or EndOfStreamException)
        {
            file.Dispose();
            throw new InvalidDataException($"Snapshot {path} is damaged: {e.Message}", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads what a snapshot is of, without checking the rest: for figures, never for state.</summary>
    /// <exception cref="InvalidDataException">Not even that can be read.</exception>
    public static SnapshotHeader Peek(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            return ReadHeader(file);
        }
        catch (Exception e) when (e is JsonException or EndOfStreamException)
        {
            throw new InvalidDataException($"Snapshot {path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Asserts that the whole body was read: less or more means that it was read as something it is not.</summary>
    public void RequireEnd()
    {
        if (Body.Position != _bodyEnd)
        {
            throw new InvalidDataException(
                $"The body of snapshot '{Header.Part}' ends at byte {_bodyEnd} but was read up to byte {Body.Position}.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Body.Dispose();

    private static void WriteTo(FileStream file, SnapshotHeader header, IReadOnlyList<ReadOnlySequence<byte>> body)
    {
        var hash = new XxHash128();
        var json = header.ToJson();
        Span<byte> start = stackalloc byte[16];
        Magic.CopyTo(start);
        BinaryPrimitives.WriteUInt32LittleEndian(start[8..], FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(start[12..], json.Length);
        Append(start);
        Append(json);
        var length = 0L;
        foreach (var segment in body.SelectMany(Segments))
        {
            Append(segment.Span);
            length += segment.Length;
        }

        Span<byte> end = stackalloc byte[TrailerBytes];
        BinaryPrimitives.WriteInt64LittleEndian(end, length);
        hash.Append(end[..8]);
        hash.GetCurrentHash(end[8..]);
        file.Write(end);
        file.Flush(flushToDisk: true);

        void Append(ReadOnlySpan<byte> bytes)
        {
            hash.Append(bytes);
            file.Write(bytes);
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Segments(ReadOnlySequence<byte> sequence)
    {
        foreach (var segment in sequence)
        {
            yield return segment;
        }
    }

    private static long Verify(FileStream file)
    {
        if (file.Length < 16 + TrailerBytes)
        {
            throw new InvalidDataException($"Snapshot {file.Name} is damaged: {file.Length} bytes are too few.");
        }

        var hash = new XxHash128();
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            for (var left = file.Length - 16; left > 0;)
            {
                var read = file.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
                if (read == 0)
                {
                    throw new EndOfStreamException("it became shorter while it was read.");
                }

                hash.Append(buffer.AsSpan(0, read));
                left -= read;
            }

            Span<byte> end = stackalloc byte[16 + 8];
            file.ReadExactly(end[..16]);
            if (!hash.GetCurrentHash().AsSpan().SequenceEqual(end[..16]))
            {
                throw new InvalidDataException($"Snapshot {file.Name} is damaged: its checksum does not match.");
            }

            file.Position = file.Length - TrailerBytes;
            file.ReadExactly(end[..8]);
            file.Position = 0;
            return BinaryPrimitives.ReadInt64LittleEndian(end);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static SnapshotHeader ReadHeader(FileStream file)
    {
        Span<byte> start = stackalloc byte[16];
        file.ReadExactly(start);
        var version = BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (!start[..8].SequenceEqual(Magic) || version != FormatVersion)
        {
            throw new InvalidDataException(
                $"{file.Name} is not a snapshot of format {FormatVersion} (found version {version}); it was made by another release.");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(start[12..]);
        if (length < 0 || length > HeaderBytesMax)
        {
            throw new InvalidDataException($"Snapshot {file.Name} is damaged: a header of {length} bytes.");
        }

        var json = new byte[length];
        file.ReadExactly(json);
        return SnapshotHeader.FromJson(json);
    }
}
