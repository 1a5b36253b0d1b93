using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Sources;

namespace Monolith.Standalone.Replay;

/// <summary>
/// A CSV file as a source of examples. Every partition streams the file for itself and passes over what is not its own:
/// parsing is cheap beside learning, and no reader can hold up another.
/// </summary>
internal sealed class CsvExampleSource : IExampleSource
{
    private readonly ModelSpec _spec;
    private readonly string _path;
    private readonly long _limit;

    /// <summary>Checks that the file is there and has the columns.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="path">The file; gzip when it ends in <c>.gz</c>.</param>
    /// <param name="partitions">Partitions by the model's <c>partition_by</c>, 1 or more.</param>
    /// <param name="limit">Requests that start at or after this row are left out; null: the whole file.</param>
    /// <exception cref="DataFileException">The file is missing or empty, or lacks a column.</exception>
    public CsvExampleSource(ModelSpec spec, string path, int partitions, long? limit)
    {
        _spec = spec;
        _path = path;
        _limit = limit ?? long.MaxValue;
        Partitions = partitions;
        Stream = $"replay:{Path.GetFileName(path)}:{partitions}";
        new CsvRequests(spec, path, 0, _ => true).Dispose();
    }

    /// <inheritdoc/>
    public string Stream { get; }

    /// <inheritdoc/>
    public int Partitions { get; }

    /// <inheritdoc/>
    public bool IsHistory => true;

    /// <inheritdoc/>
    public ValueTask<IExampleReader> Open(int partition, long offset, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, Partitions);
        var requests = new CsvRequests(_spec, _path, offset, value => Partitioner.Of(value, Partitions) == partition);
        return ValueTask.FromResult<IExampleReader>(new Reader(requests, _limit));
    }

    private sealed class Reader(CsvRequests requests, long limit) : IExampleReader
    {
        private readonly List<ExampleRecord> _records = [];

        public long Position { get; private set; } = requests.Position;

        public ValueTask<ExampleRead> Read(int maxRecords, TimeSpan maxWait, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            _records.Clear();
            while (_records.Count < maxRecords)
            {
                if (requests.Read() is not { } request || request.First >= limit)
                {
                    return ValueTask.FromResult(new ExampleRead(_records, Ended: true));
                }

                _records.Add(new ExampleRecord(request.First, request.Next, request.Group));
                Position = request.Next;
            }

            return ValueTask.FromResult(new ExampleRead(_records, Ended: false));
        }

        public ValueTask DisposeAsync()
        {
            requests.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
