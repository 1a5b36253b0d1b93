using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Trainer.Parts;

namespace Monolith.Trainer.Sources;

/// <summary>
/// Tells the event log how far every part's snapshots go, as the committed offsets of the group <see cref="Group"/>: the
/// log keeps what comes after, since a lost part would have to learn it again. Once a snapshot interval.
/// </summary>
public sealed partial class LogFloor(
    IEventLog log, ModelSpec spec, IGrainFactory grains, IExampleSource source, TimeProvider time, ILogger<LogFloor> logger)
    : BackgroundService
{
    /// <summary>The group whose offsets these are.</summary>
    public const string Group = "trainer";

    private readonly ModelParts _parts = ModelParts.Of(grains, spec);
    private readonly string _topic = new ModelTopics(spec.Name).Examples;

    /// <summary>Commits where the snapshots stand now.</summary>
    public async Task CommitAsync(CancellationToken cancellation)
    {
        var floors = new List<CommittedOffset>();
        for (var p = 0; p < source.Partitions; p++)
        {
            var name = source.PartitionName(p);
            var saved = await Task.WhenAll(_parts.All.Select(part => part.SavedThrough(name).AsTask()));
            floors.Add(new CommittedOffset(new TopicPartition(_topic, p), saved.Min()));
        }

        await log.CommitAsync(Group, floors, cancellation);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(spec.Sync.SnapshotInterval, time);
        try
        {
            do
            {
                try
                {
                    await CommitAsync(stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The floor stays where it was: the log keeps more than it must until the next attempt.
                    LogFailed(e);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    [LoggerMessage(LogLevel.Warning, "The event log was not told how far the snapshots go; it keeps more than it must.")]
    private partial void LogFailed(Exception exception);
}
