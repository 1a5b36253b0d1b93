using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Monolith.Http.Tests;

public sealed class RequestBodiesTests : IDisposable
{
    private const int MaxBytes = 1 << 20;
    private readonly FakeTimeProvider _time = new();
    private readonly List<RequestBodies> _made = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _made.ForEach(m => m.Dispose());

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(MaxBytes)]
    public async Task A_body_comes_whole_and_its_memory_goes_with_it(int length)
    {
        var bodies = Make(new BodyLimits());
        var upload = new Upload();
        var reading = bodies.ReadAsync(upload.Context, MaxBytes);
        var sent = new byte[length];
        new Random(length).NextBytes(sent);
        await upload.SendAsync(sent);
        await upload.EndAsync();
        using (var body = await reading)
        {
            Assert.Null(body.Refusal);
            Assert.Equal(sent, body.Bytes.ToArray());
            Assert.InRange(bodies.HeldBytes, 0, 2 * MaxBytes);
        }

        Assert.Equal(0, bodies.HeldBytes);
    }

    [Fact]
    public async Task Memory_grows_with_what_has_arrived_and_not_with_what_was_announced()
    {
        var bodies = Make(new BodyLimits());
        var upload = new Upload();
        upload.Context.Request.ContentLength = MaxBytes;
        var reading = bodies.ReadAsync(upload.Context, MaxBytes).AsTask();
        await upload.SendAsync(new byte[70_000]);
        await upload.ReadAsync(70_000);
        Assert.Equal(128 << 10, bodies.HeldBytes);
        await upload.EndAsync();
        (await reading).Dispose();
    }

    [Fact]
    public async Task A_body_that_does_not_arrive_in_time_is_408_and_the_connection_closes()
    {
        var bodies = Make(new BodyLimits { MaxDuration = TimeSpan.FromSeconds(30) });
        var upload = new Upload();
        var reading = bodies.ReadAsync(upload.Context, MaxBytes).AsTask();
        await upload.SendAsync(new byte[MaxBytes - 1]);
        await upload.ReadAsync(MaxBytes - 1);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(reading.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Refused(408, reading, upload);
        Assert.Equal("close", upload.Context.Response.Headers.Connection);
        Assert.Equal(0, bodies.HeldBytes);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_413_whether_it_says_so_or_not()
    {
        var bodies = Make(new BodyLimits());
        var announced = new Upload();
        announced.Context.Request.ContentLength = MaxBytes + 1;
        await Refused(413, bodies.ReadAsync(announced.Context, MaxBytes).AsTask(), announced);
        var silent = new Upload();
        var reading = bodies.ReadAsync(silent.Context, MaxBytes).AsTask();
        await silent.SendAsync(new byte[MaxBytes + 1]);
        await Refused(413, reading, silent);
    }

    [Fact]
    public async Task Beyond_the_memory_for_large_bodies_the_answer_is_503_and_small_ones_are_taken()
    {
        var bodies = Make(new BodyLimits { MaxHeldBytes = MaxBytes });
        var first = new Upload();
        var holding = bodies.ReadAsync(first.Context, MaxBytes).AsTask();
        await first.SendAsync(new byte[600_000]);
        await first.ReadAsync(600_000);
        var second = new Upload();
        var refused = bodies.ReadAsync(second.Context, MaxBytes).AsTask();
        await second.SendAsync(new byte[100_000]);
        await Refused(503, refused, second);
        Assert.Equal("1", second.Context.Response.Headers.RetryAfter);

        var small = new Upload();
        var taken = bodies.ReadAsync(small.Context, MaxBytes).AsTask();
        await small.SendAsync(new byte[BodyLimits.SmallBytes]);
        await small.EndAsync();
        using (var body = await taken)
        {
            Assert.Null(body.Refusal);
        }

        await first.EndAsync();
        (await holding).Dispose();
        Assert.Equal(0, bodies.HeldBytes);
    }

    [Fact]
    public async Task Heavy_requests_take_turns_and_light_ones_do_not_wait()
    {
        var bodies = Make(new BodyLimits { MaxHeavyAtOnce = 1, HeavyBytes = 1000, MaxHeavyWait = TimeSpan.FromMilliseconds(50) });
        var first = await Whole(bodies, 1001);
        Assert.Null(first.Refusal);
        using (var light = await Whole(bodies, 1000))
        {
            Assert.Null(light.Refusal);
        }

        using (var second = await Whole(bodies, 1001))
        {
            Assert.Equal(503, ((IStatusCodeHttpResult)second.Refusal!).StatusCode);
        }

        first.Dispose();
        first.Dispose(); // gives back one turn all the same
        using var third = await Whole(bodies, 1001);
        Assert.Null(third.Refusal);
        using var fourth = await Whole(bodies, 1001);
        Assert.NotNull(fourth.Refusal);
    }

    [Theory]
    [InlineData("gzip", false)]
    [InlineData("identity, br", false)]
    [InlineData("identity", true)]
    [InlineData("", true)]
    public async Task Content_codings_are_refused_as_what_they_are(string coding, bool isTaken)
    {
        var upload = new Upload();
        upload.Context.Request.Headers.ContentEncoding = coding;
        await upload.EndAsync();
        using var body = await Make(new BodyLimits()).ReadAsync(upload.Context, MaxBytes);
        Assert.Equal(isTaken ? null : 415, (body.Refusal as IStatusCodeHttpResult)?.StatusCode);
    }

    private static async Task<RequestBody> Whole(RequestBodies bodies, int length)
    {
        var upload = new Upload();
        await upload.SendAsync(new byte[length]);
        await upload.EndAsync();
        return await bodies.ReadAsync(upload.Context, MaxBytes);
    }

    private static async Task Refused(int status, Task<RequestBody> reading, Upload upload)
    {
        using var body = await reading.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(status, ((IStatusCodeHttpResult)body.Refusal!).StatusCode);
        await upload.EndAsync();
    }

    private RequestBodies Make(BodyLimits limits)
    {
        _made.Add(new RequestBodies(limits, _time));
        return _made[^1];
    }

    /// <summary>A request whose body arrives as the test sends it.</summary>
    private sealed class Upload : IRequestBodyPipeFeature
    {
        private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 8 << 20, resumeWriterThreshold: 4 << 20));
        private readonly CountingReader _reader;

        public Upload()
        {
            _reader = new CountingReader(_pipe.Reader);
            Context = new DefaultHttpContext();
            Context.Features.Set<IRequestBodyPipeFeature>(this);
        }

        public DefaultHttpContext Context { get; }

        PipeReader IRequestBodyPipeFeature.Reader => _reader;

        public async Task SendAsync(byte[] bytes) => await _pipe.Writer.WriteAsync(bytes, Token);

        public ValueTask EndAsync() => _pipe.Writer.CompleteAsync();

        /// <summary>Returns once so many bytes have been read and more are waited for.</summary>
        public Task ReadAsync(long bytes) => _reader.WaitingAfter(bytes).WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    private sealed class CountingReader(PipeReader inner) : PipeReader
    {
        private readonly Lock _lock = new();
        private long _last;
        private long _read;
        private long _awaited = -1;
        private bool _isWaiting;
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task WaitingAfter(long bytes)
        {
            lock (_lock)
            {
                _awaited = bytes;
                Check();
                return _reached.Task;
            }
        }

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var reading = inner.ReadAsync(cancellationToken);
            lock (_lock)
            {
                _isWaiting = !reading.IsCompleted;
                Check();
            }

            var result = await reading;
            lock (_lock)
            {
                _isWaiting = false;
                _last = result.Buffer.Length;
            }

            return result;
        }

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        public override void AdvanceTo(SequencePosition consumed)
        {
            lock (_lock)
            {
                _read += _last;
            }

            inner.AdvanceTo(consumed);
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        private void Check()
        {
            if (_isWaiting && _awaited >= 0 && _read >= _awaited)
            {
                _reached.TrySetResult();
            }
        }
    }
}
