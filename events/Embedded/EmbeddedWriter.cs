namespace Monolith.Events.Embedded;

/// <summary>A transaction is one atomic write.</summary>
internal sealed class EmbeddedWriter(EmbeddedEventLog log, string name, long epoch) : ITransactionalWriter
{
    public ValueTask CommitAsync(EventTransaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (transaction.Member is not EmbeddedMember member)
        {
            throw new ArgumentException("The member belongs to another log.", nameof(transaction));
        }

        return log.CommitAsync(
            transaction.Records,
            (transaction.Member.Group, transaction.Offsets),
            () => Check(member, transaction.Offsets),
            cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Check(EmbeddedMember member, IReadOnlyList<CommittedOffset> offsets)
    {
        if (!log.IsCurrent(name, epoch))
        {
            throw new FencedException($"Another writer named '{name}' has taken over.");
        }

        foreach (var offset in offsets)
        {
            if (!member.Owns(offset.Partition.Partition))
            {
                throw new FencedException($"Partition {offset.Partition} belongs to another member of the group.");
            }
        }
    }
}
