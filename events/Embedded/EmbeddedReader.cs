namespace Monolith.Events.Embedded;

/// <summary>Reads partitions from memory at the end and from the store before it.</summary>
internal sealed class EmbeddedReader(EmbeddedEventLog log) : IEventReader
{
    private readonly List<Cursor> _cursors = [];
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Lock _wakeLock = new();

    public void Seek(PartitionOffset to)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(to.Offset);
        var partition = log.Partition(to.Partition);
        var cursor = _cursors.Find(c => c.Partition == partition);
        if (cursor is null)
        {
            cursor = new Cursor(partition);
            _cursors.Add(cursor);
            partition.Attach(this);
        }

        cursor.Seek(to.Offset);
    }

    public void Remove(TopicPartition partition)
    {
        if (_cursors.Find(c => c.Partition.Name == partition) is { } cursor)
        {
            cursor.Partition.Detach(this);
            _cursors.Remove(cursor);
        }
    }

    public async ValueTask<IReadOnlyList<PartitionBatch>> ReadAsync(int maxRecords, TimeSpan maxWait, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRecords, 1);
        var until = maxWait <= TimeSpan.Zero ? 0 : Environment.TickCount64 + (long)Math.Ceiling(maxWait.TotalMilliseconds);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var batches = Read(maxRecords, out var any);
            var left = until - Environment.TickCount64;
            if (any || left <= 0)
            {
                return batches;
            }

            await _wake.WaitAsync(TimeSpan.FromMilliseconds(left), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends a wait, now or the next one.</summary>
    public void Wake()
    {
        lock (_wakeLock)
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        foreach (var cursor in _cursors)
        {
            cursor.Partition.Detach(this);
        }

        _cursors.Clear();
        return ValueTask.CompletedTask;
    }

    private PartitionBatch[] Read(int maxRecords, out bool any)
    {
        any = false;
        var batches = new PartitionBatch[_cursors.Count];
        for (var i = 0; i < batches.Length; i++)
        {
            batches[i] = _cursors[i].Read(log, maxRecords);
            any |= batches[i].Records.Length > 0;
        }

        return batches;
    }

    /// <summary>Where the reader stands in a partition, with the batch it is in.</summary>
    private sealed class Cursor(PartitionLog partition)
    {
        private StoredBatch? _batch;
        private int _at;
        private long _offset;

        public PartitionLog Partition { get; } = partition;

        public void Seek(long offset)
        {
            _offset = offset;
            _batch = null;
        }

        public PartitionBatch Read(EmbeddedEventLog log, int maxRecords)
        {
            var (low, high) = Partition.Watermarks;
            if (_offset < low)
            {
                Seek(low);
            }

            var count = (int)Math.Clamp(high - _offset, 0, maxRecords);
            if (count == 0)
            {
                return new PartitionBatch(Partition.Name, default, _offset, AtEnd: true);
            }

            var records = new EventRecord[count];
            for (var read = 0; read < count;)
            {
                if (_batch is null || _offset >= _batch.EndOffset)
                {
                    if (!Enter(log))
                    {
                        // Truncated while being read: what was read so far, and the next call starts at the low watermark.
                        return new PartitionBatch(Partition.Name, records.AsMemory(0, read), _offset, AtEnd: false);
                    }
                }

                var appendTimeMs = BatchCodec.AppendTimeMs(_batch!.Data);
                for (var end = Math.Min(_batch.EndOffset, _offset + count - read); _offset < end; _offset++)
                {
                    records[read++] = BatchCodec.Read(_batch.Data, ref _at, _offset, appendTimeMs);
                }
            }

            return new PartitionBatch(Partition.Name, records, _offset, AtEnd: _offset >= high);
        }

        private bool Enter(EmbeddedEventLog log)
        {
            _batch = Partition.InMemory(_offset) ?? log.Store.Find(Partition.Id, _offset);
            if (_batch is null)
            {
                return false;
            }

            _at = BatchCodec.HeaderBytes;
            for (var skipped = _batch.BaseOffset; skipped < _offset; skipped++)
            {
                BatchCodec.Skip(_batch.Data, ref _at);
            }

            return true;
        }
    }
}
