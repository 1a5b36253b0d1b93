using System.Buffers.Binary;
using System.Text;
using RocksDbSharp;

namespace Monolith.Events.Embedded;

/// <summary>
/// The log on disk: one RocksDB, whose write-ahead log is the one physical log of all topics, so that whatever is written
/// together is durable together. Batches of 512 bytes or more lie in blob files: compaction moves their keys only.
/// </summary>
/// <remarks>
/// Keys, integers big-endian: <c>d partition(4) offset(8)</c> a batch; <c>t topic</c> its first partition id and number of
/// partitions; <c>g partition(4) group</c> a committed offset; <c>l partition(4)</c> a low watermark.
/// </remarks>
internal sealed class LogStore : IDisposable
{
    private const string FormatFile = "FORMAT";
    private const string Format = "monolith event log 1";
    private const int ProbeBytes = 8 << 20;
    private readonly EmbeddedEventLogOptions _options;
    private static readonly TimeSpan StallMax = TimeSpan.FromSeconds(5);
    private readonly WriteOptions _sync = new WriteOptions().SetSync(true);

    // Held for reading while the database is used, for writing while it is closed and opened again.
    private readonly ReaderWriterLockSlim _gate = new();
    private RocksDb? _open;

    public LogStore(EmbeddedEventLogOptions options)
    {
        _options = options;

        // A write that waits for a flush would wait for ever where the flush has no room.
        Native.Instance.rocksdb_writeoptions_set_no_slowdown(_sync.Handle, 1);
        try
        {
            Directory.CreateDirectory(options.Folder);
            CheckFormat(options.Folder);
            _open = Open(options);
            // Only once the folder is ours.
            File.WriteAllText(Path.Combine(options.Folder, FormatFile), Format);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _open?.Dispose();
            throw new EventLogException($"The event log in '{options.Folder}' cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>Bytes of what is stored, roughly; blobs are among the live data.</summary>
    public long Bytes => Use(db => Property(db, "rocksdb.estimate-live-data-size") + Property(db, "rocksdb.cur-size-all-mem-tables"));

    /// <summary>Writes a batch durably.</summary>
    /// <exception cref="EventLogException">It could not be written; the message names the cause.</exception>
    public void Write(WriteBatch batch)
    {
        try
        {
            RequireFolder();
            _options.BeforeWrite?.Invoke();
            var started = TimeProvider.System.GetTimestamp();
            while (!TryWrite(batch))
            {
                if (TimeProvider.System.GetElapsedTime(started) > StallMax)
                {
                    DiskTrouble.Probe(_options.Folder, ProbeBytes);
                    throw new IOException($"it did not take what waits for it within {StallMax.TotalSeconds:0} s");
                }

                Thread.Sleep(1);
            }
        }
        catch (Exception e) when (e is RocksDbException or IOException or UnauthorizedAccessException)
        {
            throw new EventLogException(DiskTrouble.Explain(e, _options.Folder), e);
        }
    }

    /// <summary>
    /// After a failed write: finds out whether the disk takes bytes again, and then opens the database anew. What RocksDB
    /// believes of a disk that failed is given up with it.
    /// </summary>
    /// <exception cref="EventLogException">It does not, or the database cannot be opened.</exception>
    public void Reopen()
    {
        try
        {
            RequireFolder();
            _options.BeforeWrite?.Invoke();
            DiskTrouble.Probe(_options.Folder, ProbeBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EventLogException(DiskTrouble.Explain(e, _options.Folder), e);
        }

        _gate.EnterWriteLock();
        try
        {
            _open?.Dispose();
            _open = null;
            _open = Open(_options);
        }
        finally
        {
            _gate.ExitWriteLock();
        }
    }

    /// <summary>
    /// Makes what is stored of a partition end at an offset, and its committed offsets those given: a write that failed may be
    /// there all the same, and was refused.
    /// </summary>
    public void CutBack(int partition, long end, IEnumerable<(string Group, CommittedOffset Committed)> commits)
    {
        using var batch = new WriteBatch();
        var last = new byte[13];
        for (var at = end; Next(partition, at) is { } refused; at = refused.EndOffset)
        {
            DataKey(last, partition, refused.BaseOffset);
            batch.Delete(last);
        }

        foreach (var (group, committed) in commits)
        {
            PutCommit(batch, partition, group, committed);
        }

        if (batch.Count() > 0)
        {
            Write(batch);
        }
    }

    public static void PutBatch(WriteBatch into, int partition, StoredBatch batch)
    {
        Span<byte> key = stackalloc byte[13];
        DataKey(key, partition, batch.BaseOffset);
        into.Put(key, batch.Data);
    }

    public static void PutCommit(WriteBatch into, int partition, string group, CommittedOffset committed)
    {
        var value = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(value, committed.Offset);
        into.Put(Key('g', partition, group), value);
    }

    public static void PutTopic(WriteBatch into, string topic, int firstPartition, int partitions)
    {
        var value = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(value, firstPartition);
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(4), partitions);
        byte[] key = [(byte)'t', .. Encoding.UTF8.GetBytes(topic)];
        into.Put(key, value);
    }

    /// <summary>Drops the batches of a partition between two offsets, both at a batch's start.</summary>
    public static void Truncate(WriteBatch into, int partition, long from, long to)
    {
        var first = new byte[13];
        var last = new byte[13];
        DataKey(first, partition, from);
        DataKey(last, partition, to);
        into.DeleteRange(first, 13, last, 13);
        var low = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(low, to);
        into.Put(Key('l', partition, string.Empty), low);
    }

    /// <summary>Compacts what was truncated, so that its files go.</summary>
    public void Reclaim(int partition, long from, long to)
    {
        var first = new byte[13];
        var last = new byte[13];
        DataKey(first, partition, from);
        DataKey(last, partition, to);
        // Only now: every compaction would otherwise write the oldest quarter of the blobs again, dropped or not.
        Use(db =>
        {
            db.SetOptions([new("enable_blob_garbage_collection", "true")]);
            try
            {
                db.CompactRange(first, last);
            }
            finally
            {
                db.SetOptions([new("enable_blob_garbage_collection", "false")]);
            }

            return true;
        });
    }

    /// <summary>All topics; only before the log is in use.</summary>
    public IEnumerable<(string Topic, int FirstPartition, int Partitions)> Topics()
    {
        using var iterator = _open!.NewIterator();
        for (iterator.Seek("t"u8); iterator.Valid() && iterator.Key()[0] == 't'; iterator.Next())
        {
            var value = iterator.Value();
            yield return (
                Encoding.UTF8.GetString(iterator.Key().AsSpan(1)),
                BinaryPrimitives.ReadInt32BigEndian(value),
                BinaryPrimitives.ReadInt32BigEndian(value.AsSpan(4)));
        }
    }

    /// <summary>All committed offsets; only before the log is in use.</summary>
    public IEnumerable<(int Partition, string Group, long Offset)> Commits()
    {
        using var iterator = _open!.NewIterator();
        for (iterator.Seek("g"u8); iterator.Valid() && iterator.Key()[0] == 'g'; iterator.Next())
        {
            var key = iterator.Key();
            var value = iterator.Value();
            yield return (
                BinaryPrimitives.ReadInt32BigEndian(key.AsSpan(1)),
                Encoding.UTF8.GetString(key.AsSpan(5)),
                BinaryPrimitives.ReadInt64BigEndian(value));
        }
    }

    public Watermarks Watermarks(int partition) => Use(db =>
    {
        var low = db.Get(Key('l', partition, string.Empty)) is { } stored ? BinaryPrimitives.ReadInt64BigEndian(stored) : 0;
        Span<byte> key = stackalloc byte[13];
        DataKey(key, partition, long.MaxValue);
        using var iterator = db.NewIterator();
        iterator.SeekForPrev(key);
        return At(iterator, partition) is { } newest ? new Watermarks(low, newest.EndOffset) : new Watermarks(low, low);
    });

    /// <summary>The batch that holds an offset; null when it was dropped or does not exist yet.</summary>
    public StoredBatch? Find(int partition, long offset) => Use(db =>
    {
        Span<byte> key = stackalloc byte[13];
        DataKey(key, partition, offset);
        using var iterator = db.NewIterator();
        iterator.SeekForPrev(key);
        return At(iterator, partition) is { } batch && offset < batch.EndOffset ? batch : null;
    });

    /// <summary>The batches of a partition from an offset that starts one, oldest first.</summary>
    public IEnumerable<(long EndOffset, long AppendTimeMs, int Bytes)> Scan(int partition, long from)
    {
        for (var at = from; Next(partition, at) is { } batch; at = batch.EndOffset)
        {
            yield return (batch.EndOffset, BatchCodec.AppendTimeMs(batch.Data), batch.Data.Length);
        }
    }

    public void Dispose()
    {
        _gate.EnterWriteLock();
        _open?.Dispose();
        _open = null;
        _gate.ExitWriteLock();
    }

    // False while flushes are behind.
    private bool TryWrite(WriteBatch batch) => Use(db =>
    {
        try
        {
            db.Write(batch, _sync);
            return true;
        }
        catch (RocksDbException e) when (e.Message.Contains("Write stall", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
    });

    // Nothing is held between two batches: the database may be opened anew meanwhile.
    private StoredBatch? Next(int partition, long from) => Use(db =>
    {
        Span<byte> key = stackalloc byte[13];
        DataKey(key, partition, from);
        using var iterator = db.NewIterator();
        iterator.Seek(key);
        return At(iterator, partition);
    });

    private T Use<T>(Func<RocksDb, T> use)
    {
        _gate.EnterReadLock();
        try
        {
            return use(_open ?? throw new EventLogException($"The event log in '{_options.Folder}' is closed."));
        }
        finally
        {
            _gate.ExitReadLock();
        }
    }

    // RocksDB would go on writing into files that no longer have a name.
    private void RequireFolder()
    {
        if (!File.Exists(Path.Combine(_options.Folder, "CURRENT")))
        {
            throw new DirectoryNotFoundException($"Its folder '{_options.Folder}' is gone.");
        }
    }

    private static StoredBatch? At(Iterator iterator, int partition)
    {
        if (!iterator.Valid())
        {
            return null;
        }

        var key = iterator.GetKeySpan();
        if (key.Length != 13 || key[0] != 'd' || BinaryPrimitives.ReadInt32BigEndian(key[1..]) != partition)
        {
            return null;
        }

        var data = iterator.Value();
        return new StoredBatch(BinaryPrimitives.ReadInt64BigEndian(key[5..]), BatchCodec.Count(data), data);
    }

    private static void DataKey(Span<byte> key, int partition, long offset)
    {
        key[0] = (byte)'d';
        BinaryPrimitives.WriteInt32BigEndian(key[1..], partition);
        BinaryPrimitives.WriteInt64BigEndian(key[5..], offset);
    }

    private static byte[] Key(char kind, int partition, string rest)
    {
        var key = new byte[5 + Encoding.UTF8.GetByteCount(rest)];
        key[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(1), partition);
        Encoding.UTF8.GetBytes(rest, key.AsSpan(5));
        return key;
    }

    private static void CheckFormat(string folder)
    {
        var file = Path.Combine(folder, FormatFile);
        var found = File.Exists(file) ? File.ReadAllText(file).Trim() : Directory.EnumerateFileSystemEntries(folder).Any() ? "other files" : Format;
        // A first start that was cut short leaves RocksDB's files alone.
        if (found != Format && !(found == "other files" && File.Exists(Path.Combine(folder, "CURRENT"))))
        {
            throw new EventLogException(
                $"The folder '{folder}' holds '{found}', not '{Format}': it was written by another version or is not an event log. "
                + "Use that version, or name an empty folder.");
        }
    }

    private static RocksDb Open(EmbeddedEventLogOptions options)
    {
        var rocks = new DbOptions()
            .SetCreateIfMissing(true)
            .SetWriteBufferSize((ulong)options.WriteBufferBytes)
            .SetMaxWriteBufferNumber(3)
            .SetMaxBackgroundCompactions(1)
            .SetMaxBackgroundFlushes(1)
            .SetKeepLogFileNum(2)
            .SetMaxOpenFiles(256)
            .SetBlockBasedTableFactory(new BlockBasedTableOptions().SetBlockCache(Cache.CreateLru(8 << 20)));
        // A torn or damaged end of the write-ahead log ends recovery there: what lies before it is whole.
        Native.Instance.rocksdb_options_set_wal_recovery_mode(rocks.Handle, Recovery.PointInTime);
        Native.Instance.rocksdb_options_set_enable_blob_files(rocks.Handle, 1);
        Native.Instance.rocksdb_options_set_min_blob_size(rocks.Handle, 512);
        Native.Instance.rocksdb_options_set_blob_file_size(rocks.Handle, 64 << 20);
        try
        {
            return RocksDb.Open(rocks, options.Folder);
        }
        catch (RocksDbException e) when (e.Message.Contains("lock", StringComparison.OrdinalIgnoreCase))
        {
            throw new EventLogException(
                $"The folder '{options.Folder}' is in use by another process. Stop it, or name another folder.", e);
        }
        catch (RocksDbException e)
        {
            throw new EventLogException($"The event log in '{options.Folder}' cannot be opened: {e.Message}", e);
        }
    }

    private static long Property(RocksDb db, string name) => long.TryParse(db.GetProperty(name), out var value) ? value : 0;
}
