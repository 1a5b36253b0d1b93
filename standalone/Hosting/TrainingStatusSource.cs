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
    ModelSpec spec, IGrainFactory grains, IEventLog log, IExampleSource source, Joiner joiner)
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
        var lag = Lag(metrics, cancellation);
        await Task.WhenAll([report, federation, lag, .. shards]).WaitAsync(cancellation);
        return new TrainingStatus
        {
            Tasks = (await report).Tasks,
            Lag = await lag,
            Rows = spec.Tables.Select((table, i) => (table.Name, Rows: shards.Sum(s => s.Result.Rows[i])))
                .ToDictionary(t => t.Name, t => t.Rows),
            Bytes = shards.Sum(s => s.Result.Bytes),
            Rounds = (await federation).Round,
            Workers = (await federation).Workers,
        };
    }

    private async Task<IReadOnlyDictionary<string, long>> Lag(IMetricsGrain metrics, CancellationToken cancellation)
    {
        var topic = new ModelTopics(spec.Name).Examples;
        var examples = 0L;
        for (var partition = 0; partition < source.Partitions; partition++)
        {
            var (_, high) = await log.WatermarksAsync(new TopicPartition(topic, partition), cancellation);
            var applied = await metrics.Claim(new PartitionClaim(source.PartitionName(partition), 0));
            examples += Math.Max(0, high - applied.AppliedThrough);
        }

        var joining = await joiner.StatusAsync(cancellation);
        return new Dictionary<string, long> { ["events"] = joining.Lag, ["examples"] = examples };
    }
}
