using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Events.Embedded;
using RocksDbSharp;

namespace Monolith.Events.Tests.Embedded;

public sealed class CommitLoopTests : IDisposable
{
    private const int MaxBatchBytes = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("monolith-loop-").FullName;
    private readonly PartitionLog _partition = new(0, new TopicPartition("t", 0), 0, 0);
    private readonly EventLogMetrics _metrics = new();
    private readonly EmbeddedEventLogOptions _options;
    private readonly LogStore _store;
    private readonly List<CommitLoop> _loops = [];

    public CommitLoopTests()
    {
        _options = new EmbeddedEventLogOptions { Folder = _folder, PendingBytes = 100, RetryInterval = TimeSpan.FromMilliseconds(10) };
        _store = new LogStore(_options);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _loops.ForEach(loop => loop.Dispose());
        _store.Dispose();
        _metrics.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Nothing_is_answered_or_readable_before_it_is_in_the_store()
    {
        var stored = new List<(long High, long Readable)>();
        var loop = Loop(committed: _ => stored.Add((_store.Watermarks(0).High, _partition.Watermarks.High)));
        await loop.CommitAsync(Request(10), Token).AsTask().WaitAsync(Patience, Token);
        await loop.CommitAsync(Request(10), Token).AsTask().WaitAsync(Patience, Token);
        Assert.Equal([(1, 1), (2, 2)], stored);
    }

    [Fact]
    public async Task After_a_write_has_failed_nothing_is_taken_until_the_store_is_recovered()
    {
        using var recovered = new SemaphoreSlim(0);
        var fails = true;
        var loop = Loop(
            putCommit: batch => batch.Put("k"u8.ToArray(), fails ? throw new IOException("No space left on device") : "v"u8.ToArray()),
            recover: () => fails = recovered.Wait(0) ? false : throw new EventLogException("", new IOException("No space left on device")));
        var failed = await Assert.ThrowsAsync<EventLogException>(() => Commit(loop));
        Assert.True(failed.OutcomeUnknown);
        var refused = await Assert.ThrowsAsync<EventLogException>(() => Commit(loop));
        Assert.StartsWith("The event log cannot write.", refused.Message, StringComparison.Ordinal);
        Assert.False(loop.Trouble!.IsHopeless);
        Assert.Equal(0, _store.Watermarks(0).High);

        recovered.Release();
        await Eventually(() => loop.Trouble is null);
        _partition.NextOffset = 0; // as the log's own recovery does
        await Commit(loop);
        Assert.Equal(1, _store.Watermarks(0).High);
    }

    [Fact]
    public async Task What_a_running_process_cannot_repair_is_hopeless()
    {
        var loop = Loop(putCommit: _ => throw new IOException("Input/output error"), recover: () => throw new EventLogException("damaged"));
        await Assert.ThrowsAsync<EventLogException>(() => Commit(loop));
        await Eventually(() => loop.Trouble is { IsHopeless: true, Reason: "damaged" });
    }

    [Fact]
    public async Task What_waits_for_the_disk_is_bounded_and_goes_on_when_there_is_room_in_batches_of_a_megabyte()
    {
        using var begun = new SemaphoreSlim(0);
        using var disk = new ManualResetEventSlim();
        var loop = Loop();
        var first = loop.CommitAsync(
            new CommitRequest
            {
                Chunks = Request(10).Chunks,
                Check = () =>
                {
                    begun.Release();
                    disk.Wait(Patience);
                },
            },
            Token).AsTask();
        Assert.True(await begun.WaitAsync(Patience, Token));

        // The disk works. Small ones gather, however many bytes their batch will have; then there is no room.
        Task[] gathering = [.. Enumerable.Range(0, 4).Select(_ => loop.CommitAsync(Request(25, MaxBatchBytes / 3), Token).AsTask())];
        using var givenUp = new CancellationTokenSource();
        var refused = loop.CommitAsync(Request(1), givenUp.Token).AsTask();
        var patient = loop.CommitAsync(Request(1), Token).AsTask();
        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => refused.WaitAsync(Patience, Token));
        Assert.False(patient.IsCompleted);
        disk.Set();
        await Task.WhenAll([first, patient, .. gathering]).WaitAsync(Patience, Token);
        Assert.Equal(6, _store.Watermarks(0).High);
        var batches = _store.Scan(0, 0).ToList();
        Assert.All(batches, b => Assert.InRange(b.Bytes, 1, MaxBatchBytes));
        Assert.True(batches.Count < 6);
    }

    private Task Commit(CommitLoop loop) => loop.CommitAsync(Request(10), Token).AsTask().WaitAsync(Patience, Token);

    private static async Task Eventually(Func<bool> condition)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(Token);
        bound.CancelAfter(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(bound.Token);
        }
    }

    private CommitLoop Loop(
        Action<WriteBatch>? putCommit = null, Action<CommitRequest>? committed = null, Action? recover = null)
    {
        _loops.Add(new CommitLoop(
            _options, _store, (_, batch) => putCommit?.Invoke(batch), r => committed?.Invoke(r), recover ?? (() => { }), _metrics,
            NullLogger.Instance));
        return _loops[^1];
    }

    /// <summary>One record that counts as so many bytes of what waits.</summary>
    private CommitRequest Request(int bytes, int valueBytes = 1)
    {
        var record = new NewRecord("t", 0, default, new byte[valueBytes]);
        var chunk = new byte[BatchCodec.HeaderBytes + BatchCodec.Size(record)];
        BatchCodec.Write(chunk.AsSpan(BatchCodec.HeaderBytes), record);
        return new CommitRequest { Chunks = [new Chunk(_partition, 1, chunk)], Bytes = bytes };
    }
}
