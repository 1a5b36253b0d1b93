using Monolith.Contracts.Specification;
using Monolith.Embeddings.Snapshots;

namespace Monolith.Embeddings.Tests.Snapshots;

/// <summary>A stream that fails or hangs voids the snapshot and nothing else: the table goes on learning.</summary>
public sealed class FailingStreamTests
{
    private const int Rows = 60_000;
    private static readonly TableSpec Spec = Specs.Table(Specs.Segment(64, new AdagradOptimizer()));
    private static readonly ulong[] Ids = [.. Enumerable.Range(0, Rows).Select(i => (ulong)i)];

    [Fact]
    public void Updates_go_on_when_the_stream_fails_and_the_snapshot_says_why()
    {
        using var table = Filled();
        using var stream = new GatedStream { Fails = true };
        using (var snapshot = table.BeginSnapshot(SnapshotKind.Full, stream, new SnapshotOptions { ArenaBytes = 1 }))
        {
            stream.Open();
            Push(table);
            Assert.Contains("no space", Assert.Throws<IOException>(snapshot.Complete).Message);
        }

        LearnedTwice(table);
    }

    [Fact]
    public void An_update_waits_for_a_stream_that_hangs_no_longer_than_it_must_and_the_snapshot_is_void()
    {
        using var table = Filled();
        using var stream = new GatedStream();
        using (var snapshot = table.BeginSnapshot(
            SnapshotKind.Full, stream, new SnapshotOptions { ArenaBytes = 1, LongestWait = TimeSpan.FromMilliseconds(50) }))
        {
            Push(table);
            Assert.InRange(snapshot.Waits, 1, int.MaxValue);
            Assert.Contains("arena", Assert.Throws<IOException>(() => snapshot.Step()).Message);
            stream.Open();
        }

        LearnedTwice(table);
    }

    /// <summary>Steps leave most of the arena to the rows that updates push out: they wait for nothing, and take no more.</summary>
    [Fact]
    public void Steps_stand_still_while_the_stream_does()
    {
        using var table = Filled();
        using var stream = new GatedStream();
        using var snapshot = table.BeginSnapshot(SnapshotKind.Full, stream, new SnapshotOptions { ArenaBytes = 16 << 20 });
        for (var step = 0; step < 100; step++)
        {
            Assert.False(snapshot.Step());
        }

        // A quarter of the arena, and the sub-table that reached it.
        Assert.InRange(snapshot.Rows * 64 * 2 * sizeof(float), 4 << 20, 15 << 20);
        Assert.Equal(0, snapshot.Waits);
        stream.Open();
        snapshot.Complete();
        Assert.Equal(Rows, snapshot.Rows);
    }

    [Fact]
    public async Task What_waits_for_the_stream_is_dropped_when_a_snapshot_is_given_up()
    {
        using var stream = new GatedStream();
        var sink = new BlockSink(stream, new SnapshotOptions());
        for (var block = 0; block < 20; block++)
        {
            Submit(sink);
        }

        var full = sink.Used;
        var giving = Task.Run(sink.Dispose, TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => sink.Used < full / 4, TimeSpan.FromSeconds(60)));
        stream.Open();
        await giving.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.InRange(stream.Blocks, 0, 1);
    }

    /// <summary>What came behind a hole would be of no use, and a disk that is full is not asked again and again.</summary>
    [Fact]
    public void Nothing_is_written_after_a_block_that_failed()
    {
        using var stream = new GatedStream { Fails = true };
        using var sink = new BlockSink(stream, new SnapshotOptions());
        for (var block = 0; block < 6; block++)
        {
            Submit(sink);
        }

        stream.Open();
        Assert.Contains("no space", Assert.Throws<IOException>(sink.Finish).Message);
        Assert.Equal(1, stream.Blocks);
    }

    private static unsafe void Submit(BlockSink sink) => sink.Submit(sink.Rent(), 100, BlockKind.Rows);

    private static EmbeddingTable Filled()
    {
        var table = new EmbeddingTable(Spec, seed: 1);
        Push(table);
        return table;
    }

    private static void Push(EmbeddingTable table) => table.Update(
        Ids, [.. Enumerable.Repeat(1f, Rows * 64)], [.. Enumerable.Repeat(1, Rows)], new uint[Rows]);

    private static void LearnedTwice(EmbeddingTable table)
    {
        table.Validate();
        using var other = new EmbeddingTable(Spec, seed: 1);
        Push(other);
        Push(other);
        Assert.Equal(other.Read(Ids), table.Read(Ids));
        using var next = table.BeginSnapshot(SnapshotKind.Incremental, new MemoryStream());
        Assert.Equal(SnapshotKind.Full, next.Kind);
        next.Complete();
        Assert.Equal(Rows, next.Rows);
    }

    /// <summary>Lets blocks through when it is opened.</summary>
    private sealed class GatedStream : Stream
    {
        private readonly SemaphoreSlim _gate = new(0);
        private bool _started;

        public bool Fails { get; init; }

        public int Blocks { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => 0;

        public override long Position { get; set; }

        public void Open() => _gate.Release(1 << 20);

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!_started)
            {
                // The first bytes come on the table's thread.
                _started = true;
                return;
            }

            Assert.True(_gate.Wait(TimeSpan.FromSeconds(60)));
            Blocks++;
            if (Fails)
            {
                throw new IOException("no space left");
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _gate.Dispose();
            base.Dispose(disposing);
        }
    }
}
