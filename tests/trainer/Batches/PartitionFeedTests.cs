using Microsoft.Extensions.Logging.Abstractions;
using Monolith.Trainer.Batches;
using Monolith.Trainer.Sources;

namespace Monolith.Trainer.Tests.Batches;

public sealed class PartitionFeedTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_worker_that_is_woken_by_a_failure_sees_it()
    {
        var source = new FailingSource();
        var seen = new TaskCompletionSource<SourceException>(TaskCreationOptions.RunContinuationsAsynchronously);
        PartitionFeed? feed = null;
        await using (feed = new PartitionFeed(source, 0, 0, 64, TimeSpan.FromMilliseconds(1), TimeProvider.System, Woken, NullLogger.Instance))
        {
            source.Fail.SetResult();
            var failure = await seen.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.IsType<InvalidDataException>(failure.InnerException);
        }

        // As a worker does that is woken: it looks once, and sleeps again if there is nothing.
        void Woken()
        {
            try
            {
                feed!.TryPeek(out _, out _);
            }
            catch (SourceException e)
            {
                seen.TrySetResult(e);
            }
        }
    }

    private sealed class FailingSource : IExampleSource
    {
        public TaskCompletionSource Fail { get; } = new();

        public string Stream => "test";

        public int Partitions => 1;

        public bool IsHistory => true;

        public async ValueTask<IExampleReader> Open(int partition, long offset, CancellationToken cancellation)
        {
            await Fail.Task;
            throw new InvalidDataException("line 2 cannot be read");
        }
    }
}
