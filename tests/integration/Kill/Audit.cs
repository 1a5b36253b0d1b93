using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Events;
using Monolith.Silos.Parts;
using Monolith.Standalone.Hosting;

namespace Monolith.Integration.Tests.Kill;

/// <summary>Looks into a data folder after the fact: was every example applied exactly once to every part?</summary>
internal static class Audit
{
    // Sums of float32 steps: far below one example.
    private const double Tolerance = 0.3;

    /// <summary>What is wrong; empty when nothing is.</summary>
    /// <param name="path">The data folder, not in use.</param>
    /// <param name="shown">Examples there must be.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<IReadOnlyList<string>> Of(string path, long shown, CancellationToken cancellation)
    {
        using var folder = DataFolder.Open(path);
        await using var host = await MonolithHost.StartAsync(
            new MonolithHostOptions { Spec = KillModel.Spec, Folder = folder }, cancellation);
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var report = (await grains.GetGrain<IMetricsGrain>(KillModel.Name).Report()).Tasks[0].Progressive;
        var wrong = new List<string>();
        if (report.Examples != shown)
        {
            wrong.Add($"metrics: {report.Examples} examples, but {shown} items were shown");
        }

        for (var shard = 0; shard < KillModel.Spec.Shards; shard++)
        {
            var counted = await Probe(grains, shard);
            var expected = report.Positives - (shown / 2.0);
            if (Math.Abs(counted - expected) > Tolerance)
            {
                wrong.Add(string.Create(
                    CultureInfo.InvariantCulture, $"shard {shard}: its probe row counts {counted:0.00}, not {expected:0.00}"));
            }
        }

        await Offsets(host.Log, grains, wrong, cancellation);
        return wrong;
    }

    private static async Task<double> Probe(IGrainFactory grains, int shard)
    {
        using var ids = Block.Of<ulong>([KillModel.IdOf(KillModel.Probes[shard])]);
        using var row = await Shard(grains, shard).Lookup(new LookupRequest([1, 0], ids));
        return row.As<float>()[0] / KillModel.LearningRate;
    }

    private static IEmbeddingShardGrain Shard(IGrainFactory grains, int shard) =>
        grains.GetGrain<IEmbeddingShardGrain>(PartIdentity.ShardKey(KillModel.Name, shard));

    private static async Task Offsets(IEventLog log, IGrainFactory grains, List<string> wrong, CancellationToken cancellation)
    {
        var examples = new ModelTopics(KillModel.Name).Examples;
        IPart[] parts =
        [
            .. Enumerable.Range(0, KillModel.Spec.Shards).Select(s => Shard(grains, s)),
            grains.GetGrain<IFederationGrain>(KillModel.Name),
            grains.GetGrain<IMetricsGrain>(KillModel.Name),
        ];
        for (var partition = 0; partition < await log.PartitionsAsync(examples, cancellation); partition++)
        {
            var (_, end) = await log.WatermarksAsync(new TopicPartition(examples, partition), cancellation);
            foreach (var part in parts)
            {
                var applied = (await part.Claim(new PartitionClaim($"examples/{partition}", 0))).AppliedThrough;
                if (applied != end)
                {
                    wrong.Add($"{part}: applied examples/{partition} through {applied}, which ends at {end}");
                }
            }
        }
    }
}
