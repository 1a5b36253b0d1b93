using System.IO.Hashing;
using System.Text;
using Monolith.Contracts.Events;
using Monolith.Contracts.Specification;
using Monolith.Trainer.Sources;

namespace Monolith.Standalone.Replay;

/// <summary>
/// A CSV file as a source of examples. Every partition streams the file for itself and passes over what is not its own:
/// parsing is cheap beside learning, memory is one request a partition, and no reader can hold up another.
/// </summary>
internal sealed class CsvExampleSource : IExampleSource
{
    private readonly ModelSpec _spec;
    private readonly string _path;
    private readonly long _limit;
    private readonly double[] _progress;
    private readonly MissingWarnings _missing;

    /// <summary>Checks that the file is there and has the columns.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="path">The file, gzip or not.</param>
    /// <param name="partitions">Partitions by the model's <c>partition_by</c>, 1 or more.</param>
    /// <param name="limit">Requests that start at or after this row are left out; null: the whole file.</param>
    /// <param name="warn">Receives warnings, also from several partitions at once; null: nobody.</param>
    /// <exception cref="DataFileException">The file is missing or empty, or lacks a column.</exception>
    public CsvExampleSource(ModelSpec spec, string path, int partitions, long? limit, Action<string>? warn = null)
    {
        _missing = new MissingWarnings(warn);
        _spec = spec;
        _path = path;
        _limit = limit ?? long.MaxValue;
        _progress = new double[partitions];
        Identity = $"{Path.GetFileName(path)}:{Fingerprint(spec, path)}";
        Stream = $"replay:{Identity}:{partitions}";
    }

    /// <summary>The file, whatever the number of partitions: its name, and a hash of its columns and first row.</summary>
    public string Identity { get; }

    /// <inheritdoc/>
    public string Stream { get; }

    /// <inheritdoc/>
    public int Partitions => _progress.Length;

    /// <inheritdoc/>
    public bool IsHistory => true;

    /// <summary>Share of the file that the slowest partition has read, 0 to 1.</summary>
    public double Progress => _progress.Min();

    /// <inheritdoc/>
    public ValueTask<IExampleReader> Open(int partition, long offset, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, Partitions);
        var requests = new CsvRequests(_spec, _path, offset, value => Partitioner.Of(value, Partitions) == partition, _missing);
        return ValueTask.FromResult<IExampleReader>(new Reader(this, partition, requests));
    }

    // A file that grew is the same one and goes on where it ended; its beginning says which file it is.
    private static string Fingerprint(ModelSpec spec, string path)
    {
        using (new CsvRequests(spec, path, 0, _ => true))
        {
            // Its columns are there.
        }

        using var rows = CsvRows.Open(path);
        rows.Advance();
        var beginning = string.Join('\n', rows.Header.Select((name, i) => $"{name}={rows.Field(i)}"));
        return XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(beginning)).ToString("x16");
    }

    private sealed class Reader(CsvExampleSource source, int partition, CsvRequests requests) : IExampleReader
    {
        private readonly List<ExampleRecord> _records = [];

        public long Position { get; private set; } = requests.Position;

        public ValueTask<ExampleRead> Read(int maxRecords, TimeSpan maxWait, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            _records.Clear();
            var ended = false;
            while (_records.Count < maxRecords && !ended)
            {
                if (requests.Read() is { } request && request.First < source._limit)
                {
                    _records.Add(new ExampleRecord(request.First, request.Next, request.Group));
                    Position = request.Next;
                }
                else
                {
                    ended = true;
                }
            }

            source._progress[partition] = ended ? 1 : Math.Max(requests.Progress, (double)Position / source._limit);
            return ValueTask.FromResult(new ExampleRead(_records, ended));
        }

        public ValueTask DisposeAsync()
        {
            requests.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
