using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Monolith.Events;
using Monolith.Ingestion.Joining;

namespace Monolith.Ingestion.Tests.Joining;

public sealed class JoinerFencedTests : IAsyncLifetime
{
    private readonly Fixture _f = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _f.DisposeAsync();

    [Fact]
    public async Task Taken_over_again_and_again_a_joiner_says_once_why_that_may_be_and_goes_on_when_it_ends()
    {
        const int Times = 3;
        var log = new FencingLog(_f.Log, Times);
        var said = new Said();
        using var joiner = new Joiner(log, Fixture.Spec, new JoinerOptions { RetryDelay = TimeSpan.FromMilliseconds(1) }, TimeProvider.System, said);
        await joiner.StartAsync(Token);
        await Fixture.UntilAsync(async () => (await joiner.StatusAsync(Token)).Running);
        await joiner.StopAsync(Token);
        Assert.Equal(Times, log.Fenced);
        Assert.Contains("give each joiner its own name", Assert.Single(said.Messages), StringComparison.Ordinal);
    }

    private sealed class Said : ILogger<Joiner>
    {
        public ConcurrentQueue<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Messages.Enqueue(formatter(state, exception));
    }

    /// <summary>A log on which somebody else takes a joiner's name some times.</summary>
    private sealed class FencingLog(IEventLog inner, int times) : IEventLog
    {
        public int Fenced { get; private set; }

        public ValueTask<ITransactionalWriter> OpenWriterAsync(string name, CancellationToken cancellationToken = default)
            => Fenced < times ? throw Fence() : inner.OpenWriterAsync(name, cancellationToken);

        public ValueTask CreateTopicAsync(TopicSettings topic, CancellationToken cancellationToken = default) => inner.CreateTopicAsync(topic, cancellationToken);

        public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken = default) => inner.PartitionsAsync(topic, cancellationToken);

        public ValueTask AppendAsync(IReadOnlyList<NewRecord> records, CancellationToken cancellationToken = default) => inner.AppendAsync(records, cancellationToken);

        public IEventReader OpenReader(params ReadOnlySpan<PartitionOffset> from) => inner.OpenReader(from);

        public ValueTask<Watermarks> WatermarksAsync(TopicPartition partition, CancellationToken cancellationToken = default)
            => inner.WatermarksAsync(partition, cancellationToken);

        public ValueTask<IReadOnlyList<CommittedOffset>> CommittedAsync(string group, IReadOnlyList<TopicPartition> partitions, CancellationToken cancellationToken = default)
            => inner.CommittedAsync(group, partitions, cancellationToken);

        public ValueTask CommitAsync(string group, IReadOnlyList<CommittedOffset> offsets, CancellationToken cancellationToken = default)
            => inner.CommitAsync(group, offsets, cancellationToken);

        public ValueTask<IGroupMember> JoinGroupAsync(string group, string topic, CancellationToken cancellationToken = default)
            => inner.JoinGroupAsync(group, topic, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private FencedException Fence()
        {
            Fenced++;
            return new FencedException("Another writer has taken over.");
        }
    }
}
