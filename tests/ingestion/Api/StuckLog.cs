using Monolith.Events;

namespace Monolith.Ingestion.Tests.Api;

/// <summary>A log whose disk does not answer until the test says so.</summary>
internal sealed class StuckLog : IEventLog
{
    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Fail { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether it takes what comes from now on.</summary>
    public bool TakesFurther { get; set; }

    /// <summary>Something was taken.</summary>
    public TaskCompletionSource Taken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask AppendAsync(IReadOnlyList<NewRecord> records, CancellationToken cancellationToken = default)
    {
        if (TakesFurther)
        {
            Taken.TrySetResult();
            return ValueTask.CompletedTask;
        }

        Asked.TrySetResult();
        return new ValueTask(Fail.Task);
    }

    public ValueTask CreateTopicAsync(TopicSettings topic, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public ValueTask<int> PartitionsAsync(string topic, CancellationToken cancellationToken = default) => ValueTask.FromResult(4);

    public IEventReader OpenReader(params ReadOnlySpan<PartitionOffset> from) => throw new NotSupportedException();

    public ValueTask<Watermarks> WatermarksAsync(TopicPartition partition, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<CommittedOffset>> CommittedAsync(string group, IReadOnlyList<TopicPartition> partitions, CancellationToken cancellationToken = default)
        => throw new NotSupportedException();

    public ValueTask CommitAsync(string group, IReadOnlyList<CommittedOffset> offsets, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<ITransactionalWriter> OpenWriterAsync(string name, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<IGroupMember> JoinGroupAsync(string group, string topic, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
