using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Events;
using Monolith.Ingestion.Joining;
using Monolith.Serving.Api;
using Monolith.Silos.Parts;
using Monolith.Trainer.Sources;

namespace Monolith.Standalone.Hosting;

/// <summary>Asks the parts and the log how training is doing.</summary>
internal sealed class TrainingStatusSource(
    ModelSpec spec, IGrainFactory grains, IEventLog log, IExampleSource source, Joiner joiner, TimeProvider time)
    : ITrainingStatusSource
{
    public async ValueTask<TrainingStatus> Get(string model, CancellationToken cancellation)
    {
        var metrics = grains.GetGrain<IMetricsGrain>(spec.Name);
        var report = metrics.Report().AsTask();
        var federation = grains.GetGrain<IFederationGrain>(spec.Name).Status().AsTask();
        var shards = Enumerable.Range(0, spec.Shards)
            .Select(s => grains.GetGrain<IEmbeddingShardGrain>(PartIdentity.ShardKey(spec.Name, s)).Status().AsTask())
            .ToArray();
        var examples = ExamplesBehind(metrics, cancellation);
        var joining = joiner.StatusAsync(cancellation).AsTask();
        await Task.WhenAll([report, federation, examples, joining, .. shards]).WaitAsync(cancellation);
        return new TrainingStatus
        {
            Tasks = (await report).Tasks,
            Lag = new Dictionary<string, long> { ["events"] = (await joining).Lag, ["examples"] = await examples },
            Rows = spec.Tables.Select((table, i) => (table.Name, Rows: shards.Sum(s => s.Result.Rows[i])))
                .ToDictionary(t => t.Name, t => t.Rows),
            Bytes = shards.Sum(s => s.Result.Bytes),
            Rounds = (await federation).Round,
            Workers = (await federation).Workers,
            Joiner = Joining(await joining),
        };
    }

    private async Task<long> ExamplesBehind(IMetricsGrain metrics, CancellationToken cancellation)
    {
        var topic = new ModelTopics(spec.Name).Examples;
        var examples = 0L;
        for (var partition = 0; partition < source.Partitions; partition++)
        {
            var (_, high) = await log.WatermarksAsync(new TopicPartition(topic, partition), cancellation);
            var applied = await metrics.Claim(new PartitionClaim(source.PartitionName(partition), 0));
            examples += Math.Max(0, high - applied.AppliedThrough);
        }

        return examples;
    }

    private JoiningStatus Joining(JoinerStatus status) => new()
    {
        Running = status.Running,
        Partitions = status.Partitions,
        WatermarkMs = status.WatermarkMs,
        DelaySeconds = status.WatermarkMs > 0 ? Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - status.WatermarkMs) / 1000.0 : null,
        PendingItems = status.PendingItems,
        WaitingActions = status.WaitingActions,
        Events = new Dictionary<string, long>(status.Counts.Outcomes()),
        Labels = new Dictionary<string, long>(status.Counts.Labels()),
        Examples = status.Examples,
        LastError = status.LastError,
    };
}
