using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Orleans.Concurrency;

namespace Monolith.Silos.Metrics;

/// <summary>Progressive validation as a grain.</summary>
/// <param name="services">What parts share.</param>
[KeepAlive]
[Reentrant]
public sealed class MetricsGrain(PartServices services) : PartGrain<MetricsState>(services), IMetricsGrain
{
    /// <inheritdoc/>
    public ValueTask<PushReply> Push(MetricsPush push)
    {
        State.Check(push);
        try
        {
            var reply = State.Push(push);
            Figures.Pushed(Part, reply.Outcome);
            return new(reply);
        }
        catch (Exception e)
        {
            Doubt(e);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<MetricsReport> Report() => new(State.Report());

    /// <inheritdoc/>
    protected override (PartIdentity Part, ModelSpec Spec) Identify(IModelRegistry models)
    {
        var model = this.GetPrimaryKeyString();
        return (PartIdentity.Metrics(model), models.Get(model));
    }

    /// <inheritdoc/>
    protected override MetricsState CreateState(ModelSpec spec) => new(spec);
}
