using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;

namespace Monolith.Silos.Hosting;

/// <summary>
/// Sees to it that every part of every model is active somewhere: after a start, so that replicas find parameters before the
/// first example comes, and after a silo was lost, so that its parts are restored elsewhere without waiting for a call.
/// </summary>
/// <param name="models">The models.</param>
/// <param name="grains">The grains.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Log.</param>
public sealed partial class PartActivator(
    IModelRegistry models, IGrainFactory grains, TimeProvider time, ILogger<PartActivator> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private bool _failing;

    /// <summary>Saves every part of a model: what a clean stop, or a tool, does before it lets go.</summary>
    public static Task SaveAllAsync(IGrainFactory grains, ModelSpec spec)
    {
        ArgumentNullException.ThrowIfNull(grains);
        ArgumentNullException.ThrowIfNull(spec);
        return Task.WhenAll(Parts(grains, spec).Select(p => p.Save()));
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                await Task.WhenAll(models.All.SelectMany(Touch)).WaitAsync(stoppingToken);
                _failing = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (!_failing)
                {
                    _failing = true; // once, not every five seconds
                    LogFailed(e.Message);
                }
            }
        }
        while (await NextAsync(timer, stoppingToken));
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static IEnumerable<IPart> Parts(IGrainFactory grains, ModelSpec spec) =>
        Enumerable.Range(0, spec.Shards)
            .Select(s => (IPart)grains.GetGrain<IEmbeddingShardGrain>(PartIdentity.ShardKey(spec.Name, s)))
            .Append(grains.GetGrain<IFederationGrain>(spec.Name))
            .Append(grains.GetGrain<IMetricsGrain>(spec.Name));

    // Reading where a part stands in a partition that does not exist changes nothing.
    private IEnumerable<Task> Touch(ModelSpec spec) =>
        Parts(grains, spec).Select(p => p.Claim(new PartitionClaim("none/0", 0)).AsTask());

    [LoggerMessage(LogLevel.Error, "Not every part is active; this is tried again: {Reason}")]
    private partial void LogFailed(string reason);
}
