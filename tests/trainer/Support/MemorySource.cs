using Monolith.Contracts.Events;
using Monolith.Trainer.Sources;

namespace Monolith.Trainer.Tests.Support;

/// <summary>A source in memory. Offsets have holes, as those of a transactional log do.</summary>
internal sealed class MemorySource(int partitions, bool isHistory) : IExampleSource
{
    private readonly List<ExampleRecord>[] _records = [.. Enumerable.Range(0, partitions).Select(_ => new List<ExampleRecord>())];
    private readonly long[] _ends = new long[partitions];
    private TaskCompletionSource _appended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Stream => "examples";

    public int Partitions => partitions;

    public bool IsHistory => isHistory;

    public IEnumerable<ExampleGroup> Groups => _records.SelectMany(r => r).Select(r => r.Group);

    /// <summary>Where a partition's log begins: what lies before is kept no longer.</summary>
    public long Begin { get; set; }

    /// <summary>Thrown by the next read.</summary>
    public Exception? Failure { get; set; }

    public void Append(int partition, ExampleGroup group, int hole = 0)
    {
        lock (_records)
        {
            var records = _records[partition];
            var offset = _ends[partition] + hole;
            records.Add(new ExampleRecord(offset, offset + 1, group));
            _ends[partition] = offset + 1;
            _appended.TrySetResult();
            _appended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The partition goes on for so many offsets without a record, as with a marker at the end of a transaction.</summary>
    public void AppendHole(int partition, int offsets)
    {
        lock (_records)
        {
            _ends[partition] += offsets;
        }
    }

    public ValueTask<IExampleReader> Open(int partition, long offset, CancellationToken cancellation) =>
        ValueTask.FromResult<IExampleReader>(new Reader(this, partition, Math.Max(offset, Begin)));

    private sealed class Reader(MemorySource source, int partition, long position) : IExampleReader
    {
        public long Position { get; private set; } = position;

        public async ValueTask<ExampleRead> Read(int maxRecords, TimeSpan maxWait, CancellationToken cancellation)
        {
            Task appended;
            lock (source._records)
            {
                if (source.Failure is { } failure)
                {
                    source.Failure = null;
                    throw failure;
                }

                var all = source._records[partition];
                ExampleRecord[] found = [.. all.Where(r => r.Offset >= Position).Take(maxRecords)];
                var ended = isEnded(all, found);
                if (found.Length > 0 || ended)
                {
                    Position = found.Length > 0 ? found[^1].NextOffset : Position;
                    return new ExampleRead(found, ended);
                }

                Position = Math.Max(Position, source._ends[partition]);
                appended = source._appended.Task;
            }

            await appended.WaitAsync(maxWait, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
            return new ExampleRead([], false);

            bool isEnded(List<ExampleRecord> all, ExampleRecord[] found) =>
                source.IsHistory && (found.Length > 0 ? found[^1] == all[^1] : all.Count == 0 || Position > all[^1].Offset);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
