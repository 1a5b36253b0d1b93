using Monolith.Contracts.Blocks;
using Monolith.Contracts.Grains;
using Monolith.Contracts.Specification;
using Monolith.Silos.Models;
using Monolith.Silos.Parts;
using Orleans.Concurrency;

namespace Monolith.Silos.Shards;

/// <summary>A shard as a grain: calls are answered without awaiting, one at a time, so its tables need no locks.</summary>
/// <param name="services">What parts share.</param>
[KeepAlive]
[Reentrant]
public sealed class EmbeddingShardGrain(PartServices services) : PartGrain<ShardState>(services), IEmbeddingShardGrain
{
    private int _shard;

    /// <inheritdoc/>
    public ValueTask<Block> Lookup(LookupRequest request)
    {
        var values = State.Lookup(request);
        Figures.RowsRead(Part, request.Ids.Length / sizeof(ulong));
        return new(values);
    }

    /// <inheritdoc/>
    public ValueTask<PushReply> Push(GradientPush push)
    {
        State.Check(push);
        try
        {
            var reply = State.Push(push, out var expired);
            Figures.Pushed(Part, reply.Outcome);
            Figures.RowsPushed(Part, reply.Outcome == PushOutcome.Applied ? push.Ids.Length / sizeof(ulong) : 0, expired);
            return new(reply);
        }
        catch (Exception e)
        {
            Doubt(e);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<ShardStatus> Status() =>
        new(new ShardStatus(Keeper.Epoch, Keeper.Sequence, State.Offsets.WatermarkMs, State.Rows, State.Bytes, State.Occurrences));

    /// <inheritdoc/>
    public ValueTask<RowReport> Explain(int table, ulong id) => new(State.Explain(table, id));

    /// <inheritdoc/>
    public ValueTask<TableReport[]> Tables() => new(State.Tables());

    /// <inheritdoc/>
    protected override (PartIdentity Part, ModelSpec Spec) Identify(IModelRegistry models)
    {
        (var model, _shard) = PartIdentity.ParseShardKey(this.GetPrimaryKeyString());
        var spec = models.Get(model);
        return _shard < spec.Shards
            ? (PartIdentity.Shard(model, _shard), spec)
            : throw new ArgumentException($"Model '{model}' has shards 0 to {spec.Shards - 1}; {_shard} was asked for.");
    }

    /// <inheritdoc/>
    protected override ShardState CreateState(ModelSpec spec) => new(spec, _shard);
}
